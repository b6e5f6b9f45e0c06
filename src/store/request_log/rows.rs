//! Rows of requests, as they are read.

use std::time::Duration;

use crate::ports::request_log::PastRequest;
use crate::store::database::columns::{count, time};

/// A row of the table.
#[derive(sqlx::FromRow)]
pub(super) struct RequestRow {
    pub(super) created_at: i64,
    pub(super) number: i64,
    request_id: String,
    endpoint: String,
    api_key_id: Option<String>,
    status: i64,
    code: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    schema_name: Option<String>,
    template_name: Option<String>,
    processing_time_us: i64,
    input_tokens: i64,
    output_tokens: i64,
    cost_usd: f64,
    cached: bool,
    validation_status: Option<String>,
    confidence: Option<f64>,
    prompt: Option<String>,
    data: Option<String>,
}

impl From<RequestRow> for PastRequest {
    fn from(row: RequestRow) -> Self {
        Self {
            request_id: row.request_id,
            created_at: time(row.created_at),
            endpoint: row.endpoint,
            api_key_id: row.api_key_id,
            status: count(row.status),
            code: row.code,
            provider: row.provider,
            model: row.model,
            schema: row.schema_name,
            template: row.template_name,
            processing_time: Duration::from_micros(count(row.processing_time_us)),
            input_tokens: count(row.input_tokens),
            output_tokens: count(row.output_tokens),
            cost_usd: row.cost_usd,
            cached: row.cached,
            validation_status: row.validation_status,
            confidence: row.confidence,
            prompt: row.prompt,
            data: row.data,
        }
    }
}
