"""A function that takes another one's role and tries everything."""

import boto3
from botocore.exceptions import ClientError

KEYS = {
    "Messages": {"p": "probe", "s": "probe"},
    "Conversations": {"u": "probe", "v": "probe"},
    "Connections": {"u": "probe", "s": "probe"},
    "Users": {"u": "probe", "s": "probe"},
    "Groups": {"g": "probe", "s": "probe"},
}


def is_allowed(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("AccessDeniedException", "AccessDenied", "ForbiddenException")
    return True


def on_table(table, columns):
    dynamodb = boto3.client("dynamodb")
    key = {name: {"S": value} for name, value in columns.items()}
    partition = next(iter(columns))
    never = {"TableName": table, "ConditionExpression": f"attribute_exists({partition})"}
    calls = {
        "GetItem": (dynamodb.get_item, {"TableName": table, "Key": key}),
        "BatchGetItem": (dynamodb.batch_get_item, {"RequestItems": {table: {"Keys": [key]}}}),
        "Query": (dynamodb.query, {
            "TableName": table, "KeyConditionExpression": f"{partition} = :p",
            "ExpressionAttributeValues": {":p": {"S": "probe"}},
        }),
        "Scan": (dynamodb.scan, {"TableName": table, "Limit": 1}),
        "PutItem": (dynamodb.put_item, {**never, "Item": key}),
        "UpdateItem": (dynamodb.update_item, {**never, "Key": key}),
        "DeleteItem": (dynamodb.delete_item, {**never, "Key": key}),
        "BatchWriteItem": (dynamodb.batch_write_item, {"RequestItems": {table: [{"DeleteRequest": {"Key": key}}]}}),
        "DescribeTable": (dynamodb.describe_table, {"TableName": table}),
        "UpdateTimeToLive": (dynamodb.update_time_to_live, {
            "TableName": table, "TimeToLiveSpecification": {"AttributeName": "x", "Enabled": True},
        }),
    }
    # These would change something, but no function may: only a role that is wrong gets as far.
    calls |= {
        "DeleteTable": (dynamodb.delete_table, {"TableName": table}),
        "CreateBackup": (dynamodb.create_backup, {"TableName": table, "BackupName": "probe"}),
        "ExecuteStatement": (dynamodb.execute_statement, {"Statement": f'SELECT * FROM "{table}"'}),
    }
    return [action for action, (call, arguments) in calls.items() if is_allowed(call, **arguments)]


def on_bucket(bucket, key):
    s3 = boto3.client("s3")
    at = {"Bucket": bucket, "Key": key}
    calls = {
        "GetObject": (s3.get_object, at),
        "PutObject": (s3.put_object, {**at, "Body": b"x"}),
        "PutObjectTagging": (s3.put_object_tagging, {**at, "Tagging": {"TagSet": []}}),
        "DeleteObject": (s3.delete_object, at),
        "ListBucket": (s3.list_objects_v2, {"Bucket": bucket}),
        "PutBucketPolicy": (s3.put_bucket_policy, {"Bucket": bucket, "Policy": "{}"}),
        "PutLifecycleConfiguration": (s3.put_bucket_lifecycle_configuration, {
            "Bucket": bucket, "LifecycleConfiguration": {"Rules": []},
        }),
    }
    return [action for action, (call, arguments) in calls.items() if is_allowed(call, **arguments)]


def on_queue(queue):
    sqs = boto3.client("sqs")
    return [
        *["SendMessage"] * is_allowed(sqs.send_message, QueueUrl=queue, MessageBody="probe"),
        *["ReceiveMessage"] * is_allowed(sqs.receive_message, QueueUrl=queue),
        *["DeleteQueue"] * is_allowed(sqs.delete_queue, QueueUrl=queue),
    ]


def handler(event, _):
    ssm = boto3.client("ssm")
    management = boto3.client("apigatewaymanagementapi", endpoint_url=event["connections"])
    rights = {name: on_table(event["tables"][name], columns) for name, columns in KEYS.items()}
    rights["media"] = on_bucket(event["bucket"], "m/probe")
    rights["the rest of the bucket"] = on_bucket(event["bucket"], "probe")
    rights |= {name: on_queue(queue) for name, queue in event["queues"].items()}
    rights["the key"] = ["GetParameter"] * is_allowed(ssm.get_parameter, Name=event["key"], WithDecryption=True)
    rights["the token of callbacks"] = ["GetParameter"] * is_allowed(
        ssm.get_parameter, Name=event["token"], WithDecryption=True)
    stolen = {"Name": event["key"], "Value": "stolen", "Overwrite": True}
    rights["the key, written"] = ["PutParameter"] * is_allowed(ssm.put_parameter, **stolen)
    rights["other parameters"] = ["GetParameter"] * is_allowed(ssm.get_parameter, Name="/other")
    rights["@connections"] = [
        *["POST"] * is_allowed(management.post_to_connection, ConnectionId="probe", Data=b"x"),
        *["GET"] * is_allowed(management.get_connection, ConnectionId="probe"),
        *["DELETE"] * is_allowed(management.delete_connection, ConnectionId="probe"),
    ]
    return {what: actions for what, actions in rights.items() if actions}
