//! Routes, functions and tables, read from template.yaml. The twin has no list of its own.

use std::collections::BTreeMap;

use hongyan_functions::{config::Tables, functions};
use serde_json::{Map, Value, json};

use crate::{error::StartError, stream::EventSource};

/// The template as far as the twin needs it.
pub(crate) struct Template {
    /// The last part of the URL.
    pub stage: String,
    /// What each route key leads to.
    pub routes: BTreeMap<String, Target>,
    /// The names in the query without which a handshake is refused.
    pub identity_source: Vec<String>,
    /// The requests that create the tables, and the one that makes each of them forget.
    pub tables: Vec<(Value, Value)>,
    /// The functions behind their streams.
    pub event_sources: Vec<EventSource>,
}

/// What a route leads to.
pub(crate) enum Target {
    /// A function, and whether its answer goes back to the client.
    Function { name: &'static str, responds: bool },
    /// A mock: the frame has arrived, and that is all.
    Mock,
}

impl Template {
    /// Reads it, with what is there if there is a business server or without.
    pub fn read(has_callback: bool) -> Result<Self, StartError> {
        let template: Value = serde_saphyr::from_str(include_str!("../../template.yaml"))
            .map_err(|error| StartError::Template(error.to_string()))?;
        let mut parsed = Self::parse(&template).ok_or_else(|| {
            StartError::Template(
                "it lacks a resource, or a route leads to a function that is not here".to_owned(),
            )
        })?;
        parsed.event_sources.retain(|source| has_callback || source.function != functions::CALLBACK);
        Ok(parsed)
    }

    pub fn tables(&self) -> Tables {
        Tables {
            messages: "Messages".to_owned(),
            conversations: "Conversations".to_owned(),
            connections: "Connections".to_owned(),
            groups: "Groups".to_owned(),
            users: "Users".to_owned(),
        }
    }

    fn parse(template: &Value) -> Option<Self> {
        let resources = template.get("Resources")?.as_object()?;
        let gateway = resources.get("Gateway")?.get("Properties")?;
        let mut routes = BTreeMap::new();
        for (key, route) in gateway.get("Routes")?.as_object()? {
            let function = route.get("FunctionArn")?.as_str()?.strip_suffix(".Arn")?;
            let responds = route.get("RouteResponseSelectionExpression").is_some();
            routes.insert(
                key.clone(),
                Target::Function { name: name(resources, function, functions::NAMES)?, responds },
            );
        }
        let is_its_own = |route: &&Value| route.get("ApiId").is_some_and(|api| api == "Gateway");
        for route in of_type(resources, "AWS::ApiGatewayV2::Route").filter(is_its_own) {
            routes.insert(route.get("RouteKey")?.as_str()?.to_owned(), Target::Mock);
        }
        let identity_source = gateway.pointer("/Auth/IdentitySource")?.as_array()?.iter();
        let tables = resources.iter().filter(|(_, resource)| type_of(resource) == "AWS::DynamoDB::Table");
        let event_sources = of_type(resources, "AWS::Lambda::EventSourceMapping");
        Some(Self {
            event_sources: event_sources
                .map(|source| event_source(resources, source))
                .collect::<Option<_>>()?,
            stage: template.pointer("/Parameters/StageName/Default")?.as_str()?.to_owned(),
            routes,
            identity_source: identity_source
                .filter_map(|source| {
                    source.as_str()?.strip_prefix("route.request.querystring.").map(str::to_owned)
                })
                .collect(),
            tables: tables.map(|(name, table)| table_requests(name, table)).collect::<Option<_>>()?,
        })
    }
}

fn type_of(resource: &Value) -> &str {
    resource.get("Type").and_then(Value::as_str).unwrap_or_default()
}

fn of_type<'a>(resources: &'a Map<String, Value>, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    resources
        .values()
        .filter(move |resource| type_of(resource) == kind)
        .filter_map(|resource| resource.get("Properties"))
}

fn name(resources: &Map<String, Value>, function: &str, names: &[&'static str]) -> Option<&'static str> {
    let binary = resources.get(function)?.pointer("/Metadata/BuildProperties/Binary")?.as_str()?;
    names.iter().copied().find(|name| *name == binary)
}

fn event_source(resources: &Map<String, Value>, source: &Value) -> Option<EventSource> {
    // Without a restored table.
    let table = source.pointer("/EventSourceArn/2")?.as_str()?.strip_suffix(".StreamArn")?;
    let function = source.get("FunctionName")?.as_str()?.strip_suffix(".Arn")?;
    // The table has a stream on a condition, and so has the function.
    let view_type = resources.get(table)?.pointer("/Properties/StreamSpecification/1/StreamViewType")?;
    let filters = source.pointer("/FilterCriteria/Filters")?.as_array()?.iter();
    Some(EventSource {
        table: table.to_owned(),
        function: name(resources, function, functions::ON_STREAMS)?,
        view_type: view_type.as_str()?.to_owned(),
        filters: filters
            .map(|filter| serde_json::from_str(filter.get("Pattern")?.as_str()?).ok())
            .collect::<Option<_>>()?,
        batch_size: usize::try_from(source.get("BatchSize")?.as_u64()?).ok()?,
        retries: source.get("MaximumRetryAttempts").and_then(Value::as_u64),
        max_age_ms: source
            .get("MaximumRecordAgeInSeconds")
            .and_then(Value::as_u64)
            .map(|seconds| seconds * 1000),
    })
}

fn table_requests(name: &str, table: &Value) -> Option<(Value, Value)> {
    let properties = table.get("Properties")?;
    let mut create = json!({
        "TableName": name,
        "BillingMode": properties.get("BillingMode")?,
        "KeySchema": properties.get("KeySchema")?,
        "AttributeDefinitions": properties.get("AttributeDefinitions")?,
    });
    if let Some(indexes) = properties.get("LocalSecondaryIndexes") {
        create.as_object_mut()?.insert("LocalSecondaryIndexes".to_owned(), indexes.clone());
    }
    Some((
        create,
        json!({ "TableName": name, "TimeToLiveSpecification": properties.get("TimeToLiveSpecification")? }),
    ))
}
