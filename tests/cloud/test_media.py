"""Pictures, voice, video and files: the forms of the deployment, held to what they say by an S3 that is not ours, and what
CloudFront hands out."""

import base64
import hashlib
import json

import pytest
import urllib3

from stack import SDK_APP_ID

HTTP = urllib3.PoolManager(retries=False)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


def owner(name):
    return hashlib.sha256(f"{SDK_APP_ID}·{name}".encode()).hexdigest()[:16]


class Bucket:
    """The deployment's bucket, and the host in front of it."""

    def __init__(self, stack):
        self.name, self.media_url = stack.outputs["MediaBucketName"], stack.outputs["MediaUrl"]
        self.url = f"{stack.emulator.endpoint}/{self.name}"
        # A domain of one's own leads here.
        self.endpoint, self.host = stack.emulator.endpoint, stack.outputs["MediaDomainTarget"]
        self.s3 = stack.emulator.client("s3")

    def post(self, fields, data, **changed):
        """The status of an upload with a form, some of whose fields are others. CloudFront of the emulator takes no
        uploads, so it goes to the bucket itself."""
        named = [*(fields | changed).items(), ("file", ("whatever", data, "application/octet-stream"))]
        return HTTP.request("POST", self.url, fields=named).status

    def get(self, path, method="GET", scheme="https", **headers):
        """What CloudFront answers."""
        headers |= {"Host": self.host, "X-Forwarded-Proto": scheme}
        return HTTP.request(method, f"{self.endpoint}/{path}", headers=headers)

    def has(self, key):
        return self.s3.list_objects_v2(Bucket=self.name, Prefix=key)["KeyCount"] == 1


@pytest.fixture(scope="module")
def bucket(stack_with_media):
    return Bucket(stack_with_media)


def ask(user, **data):
    return user.ask("getUploadForm", **{"kind": "image", "type": "png", "size": len(PICTURE)} | data)


def test_without_media_there_is_no_form_and_the_reply_says_what_to_deploy(stack, user):
    if "Media" in stack.parameters:
        pytest.skip("there are media already")
    with user("media-zero") as zero:
        reply = zero.request("getUploadForm", kind="image", type="png", size=1)
    assert reply["code"] == 2040 and "Media=true" in reply["message"]


def test_a_picture_goes_in_by_its_form_and_out_by_its_url(bucket, user):
    with user("media-anna") as anna:
        form = ask(anna, previews=[600])
    [preview] = form["previews"]
    assert form["url"] == f"{bucket.media_url}/"
    for each, data in [(form, PICTURE), (preview, b"\xff\xd8\xff" + bytes(500))]:
        assert each["key"].startswith(f"m/{owner('media-anna')}/")
        assert each["mediaUrl"] == form["url"] + each["key"]
        assert bucket.post(each["fields"], data) == 200
        got = bucket.get(each["key"], Origin="https://example.com")
        assert (got.status, got.data) == (200, data)
    assert bucket.get(form["key"]).headers["Content-Type"] == "image/png"


def test_browsers_are_told_to_run_nothing_and_for_how_long_to_keep_it(bucket, user):
    with user("media-bert") as bert:
        page = ask(bert, kind="file", type="html", name="报价.html")
    assert bucket.post(page["fields"], b"<script>alert(1)</script>") == 200
    got = bucket.get(page["key"], Origin="https://example.com")
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E6%8A%A5%E4%BB%B7.html"
    assert got.headers["Cache-Control"] == "public, max-age=86400, immutable"
    missing = bucket.get(page["key"] + "x", Origin="https://example.com")
    assert missing.status == 403 and "Cache-Control" not in missing.headers
    for answer in [got, missing]:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_may_post_from_any_page_and_do_nothing_else(bucket, stack_with_media):
    if not stack_with_media.emulator.enforces_iam:
        pytest.skip("the plain run lets every page do everything")
    asked = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    allowed = HTTP.request("OPTIONS", bucket.url + "/", headers=asked)
    assert allowed.status == 200 and allowed.headers["Access-Control-Allow-Origin"] == "*"
    assert allowed.headers["Access-Control-Allow-Methods"] == "POST"


def with_policy(fields, change):
    policy = json.loads(base64.b64decode(fields["policy"]))
    change(policy)
    return {"policy": base64.b64encode(json.dumps(policy).encode()).decode()}


def test_a_form_is_good_for_what_it_says_and_nothing_else(bucket, user, stack_with_media):
    with user("media-carl") as carl:
        form, other = ask(carl), ask(carl)
    fields, key = form["fields"], form["key"]
    for data, status in [(PICTURE + b"x", 400), (b"", 400)]:
        assert bucket.post(fields, data) == status
    for changed in [
        {"key": other["key"]},
        {"key": f"m/{owner('media-dora')}/{key.rsplit('/', 2)[1]}/o.png"},
        {"Content-Type": "image/svg+xml"},
        {"Content-Type": "text/html"},
        {"Content-Disposition": "inline"},
        {"Cache-Control": "no-store"},
        {"acl": "public-read"},
        {"success_action_status": "201"},
        with_policy(fields, lambda policy: policy.update(expiration="2026-01-01T00:00:00.000Z")),
    ]:
        assert bucket.post(fields, PICTURE, **changed) == 403, changed
    if stack_with_media.emulator.enforces_iam:
        forged = with_policy(fields, lambda policy: policy["conditions"].append(["starts-with", "$x-amz-meta-a", ""]))
        for changed in [forged, {"x-amz-signature": "0" * 64}]:
            assert bucket.post(fields, PICTURE, **changed) == 403, changed
    assert not bucket.has(key) and not bucket.has(other["key"])
    assert bucket.post(fields, PICTURE) == 200


def test_nobody_gets_at_the_bucket_but_through_cloudfront(bucket, user, stack_with_media):
    with user("media-emma") as emma:
        form = ask(emma)
    key = form["key"]
    assert bucket.post(form["fields"], PICTURE) == 200
    assert bucket.get(key, method="HEAD").status == 200
    for path in ["", "m/", key.rsplit("/", 1)[0] + "/"]:
        assert bucket.get(path).status == 403, path
    for method in ["PUT", "DELETE", "POST"]:
        assert bucket.get(key, method=method).status == 403, method
    assert bucket.get(key, scheme="http").status == 403
    if stack_with_media.emulator.enforces_iam:
        for path in [key, "", "?prefix=m/"]:
            assert HTTP.request("GET", f"{bucket.url}/{path}").status == 403, path
    assert bucket.has(key)


def test_a_recall_deletes_what_its_sender_had_uploaded(bucket, user):
    with user("media-fay") as fay, user("media-gus") as gus:
        theirs, own = ask(fay), ask(gus, previews=[600])
        uploads = [theirs, own, *own["previews"]]
        for each in uploads:
            assert bucket.post(each["fields"], PICTURE[:600]) == 200
        # A payload may name what is not the sender's.
        picture = [{"url": each["mediaUrl"], "size": 600, "width": 1, "height": 1, "type": 0} for each in uploads]
        sent = gus.ask(
            "sendMessage", to="media-fay", conversationType="C2C", clientID="1", base=0, type="TIMImageElem",
            payload={"uuid": own["key"], "imageFormat": 3, "imageInfoArray": picture},
        )["message"]
        gus.ask("revokeMessage", conversationID="C2Cmedia-fay", sequence=sent["sequence"])
        # The stream is read when it is.
        keys = [each["key"] for each in [own, *own["previews"]]]
        assert any(not any(map(bucket.has, keys)) for _ in range(500))
        assert bucket.has(theirs["key"])
