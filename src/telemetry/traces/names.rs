//! Names of spans and attributes. They are those of OpenTelemetry's semantic conventions (HTTP, messaging 1.44,
//! generative AI 1.41) where those have one, and begin with `sp.` where they have none.
//!
//! The conventions for generative AI and messaging are not stable yet, so that a change of theirs is a change of this file
//! alone.

/// What a request over HTTP may have to wait for before the pipeline, as spans.
pub mod request {
    /// Its key is looked up in the database.
    pub const AUTHENTICATE: &str = "authenticate";
    /// It is taken out of its key's limit, in Redis.
    pub const RATE_LIMIT: &str = "rate limit";
    /// What its idempotency key stands for is looked up in the database.
    pub const IDEMPOTENCY: &str = "idempotency";
    /// The template and the schema that it names are looked up in the database.
    pub const LOOK_UP: &str = "look up";
}

/// Stages of the pipeline, as spans.
pub mod stage {
    /// Bytes become an event.
    pub const DECODE: &str = "decode";
    /// The template becomes a prompt.
    pub const RESOLVE: &str = "resolve";
    /// Limits and patterns.
    pub const ACCEPT: &str = "accept";
    /// The answers that this process remembers.
    pub const RECALL: &str = "recall";
    /// The answers that processes share.
    pub const RECALL_SHARED: &str = "recall shared";
    /// A record waits for the decision about its claim, or for a place among those who ask.
    pub const WAIT: &str = "wait";
    /// The ladder from a question to an answer.
    pub const ASK: &str = "ask";
    /// Another record or request is being asked the same, and its answer is waited for. Links to the span of that one.
    pub const ASK_SHARED: &str = "ask shared";
    /// A reply is held against the schema.
    pub const APPROVE: &str = "approve";
    /// Places of values in the input.
    pub const GROUND: &str = "ground";
    /// What a second provider says.
    pub const COMPARE: &str = "compare";
    /// Confidence.
    pub const SCORE: &str = "score";
    /// The answer becomes bytes.
    pub const ENCODE: &str = "encode";
    /// An outcome that was paid for is looked up.
    pub const JOURNAL_RECALL: &str = "journal recall";
    /// An outcome that was paid for is written down.
    pub const JOURNAL_RECORD: &str = "journal record";
}

/// Attributes of any span.
pub mod general {
    /// A failure's code.
    pub const ERROR_TYPE: &str = "error.type";
    /// Host of the server that was asked.
    pub const SERVER_ADDRESS: &str = "server.address";
    /// Its port.
    pub const SERVER_PORT: &str = "server.port";
}

/// Attributes of calls of databases.
pub mod database {
    /// Which one it is.
    pub const SYSTEM: &str = "db.system.name";
}

/// Attributes of spans about messages.
pub mod messaging {
    /// Always `kafka`.
    pub const SYSTEM: &str = "messaging.system";
    /// `process` or `send`; begins the span's name.
    pub const OPERATION_NAME: &str = "messaging.operation.name";
    /// `process` or `send`.
    pub const OPERATION_TYPE: &str = "messaging.operation.type";
    /// The topic.
    pub const DESTINATION: &str = "messaging.destination.name";
    /// The partition, as text.
    pub const PARTITION: &str = "messaging.destination.partition.id";
    /// The offset.
    pub const OFFSET: &str = "messaging.kafka.offset";
    /// Bytes of the value.
    pub const BODY_SIZE: &str = "messaging.message.body.size";
    /// The record has no value.
    pub const TOMBSTONE: &str = "messaging.kafka.message.tombstone";
}

/// Attributes of a CloudEvent.
pub mod cloudevents {
    /// `id`.
    pub const ID: &str = "cloudevents.event_id";
    /// `source`.
    pub const SOURCE: &str = "cloudevents.event_source";
    /// `type`.
    pub const TYPE: &str = "cloudevents.event_type";
}

/// Attributes of requests over HTTP.
pub mod http {
    /// The method.
    pub const METHOD: &str = "http.request.method";
    /// The route's pattern.
    pub const ROUTE: &str = "http.route";
    /// The status of the answer.
    pub const STATUS: &str = "http.response.status_code";
    /// The path, without the query.
    pub const PATH: &str = "url.path";
    /// Whether the client encrypts.
    pub const SCHEME: &str = "url.scheme";
}

/// Attributes of calls of models.
pub mod gen_ai {
    /// What is asked for: always [`CHAT`].
    pub const OPERATION: &str = "gen_ai.operation.name";
    /// The one operation that there is.
    pub const CHAT: &str = "chat";
    /// Whose model it is.
    pub const PROVIDER: &str = "gen_ai.provider.name";
    /// The model that is asked.
    pub const REQUEST_MODEL: &str = "gen_ai.request.model";
    /// Its temperature.
    pub const TEMPERATURE: &str = "gen_ai.request.temperature";
    /// The ceiling for its answer.
    pub const MAX_TOKENS: &str = "gen_ai.request.max_tokens";
    /// The form of its answer: always `json`.
    pub const OUTPUT_TYPE: &str = "gen_ai.output.type";
    /// The model that answered.
    pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
    /// The provider's id of the response.
    pub const RESPONSE_ID: &str = "gen_ai.response.id";
    /// Why it ended.
    pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
    /// Tokens of the request.
    pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
    /// Tokens of the answer.
    pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
    /// What was sent as the user's message; only where the user wants texts in traces.
    pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
    /// What the model said; only where the user wants texts in traces.
    pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
}

/// Attributes that no convention has.
pub mod own {
    /// The connector.
    pub const CONNECTOR: &str = "sp.connector";
    /// What became of a record: `result`, `review`, `dead_letter`, `repeat`; or `left`, where nothing came of it here.
    pub const OUTCOME: &str = "sp.outcome";
    /// Where an answer came from.
    pub const CACHE_HIT: &str = "sp.cache_hit";
    /// The stage that failed.
    pub const STAGE: &str = "sp.stage";
    /// The step of the ladder that a call is.
    pub const STEP: &str = "sp.step";
    /// The provider by the name that it has in the configuration.
    pub const PROVIDER: &str = "sp.provider";
    /// Price of a call in US dollars.
    pub const COST_USD: &str = "sp.cost_usd";
    /// The request's id.
    pub const REQUEST_ID: &str = "sp.request_id";
    /// Why an answer could not be used.
    pub const VERDICT: &str = "sp.verdict";
}
