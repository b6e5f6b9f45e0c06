//! Models are also what teams keep.

use axum::http::Method;
use serde_json::{Value, json};

use super::{TICKET, error, response_format};
use crate::http::testing::Answer;
use crate::http::v1::catalog::testing::{Teams, ids};
use crate::ports::model::FakeModel;

/// The schema of tickets under this name, for the team alone or for all.
fn schema(name: &str, visibility: &str) -> Value {
    let schema = &response_format(true)["json_schema"]["schema"];
    json!({ "name": name, "visibility": visibility, "schema": schema })
}

#[tokio::test]
async fn a_team_sees_its_own_models_and_public_ones_in_place_of_built_in_ones() {
    let teams = Teams::new([FakeModel::says(TICKET)]).await;
    for entry in [schema("mine", "private"), schema("ours", "public"), schema("invoice", "private")] {
        teams.create("/v1/schemas", &entry).await;
    }
    let (red, blue) = (teams.get("/v1/models").await, teams.blue(Method::GET, "/v1/models", None).await);
    let count = |list: &Answer, id: &str| ids(&list.json()).iter().filter(|found| *found == id).count();
    assert_eq!((count(&red, "schema/mine@1.0.0"), count(&blue, "schema/mine@1.0.0")), (1, 0), "{red:?}");
    assert_eq!((count(&red, "schema/ours@1.0.0"), count(&blue, "schema/ours@1.0.0")), (1, 1), "{blue:?}");
    assert_eq!((count(&red, "schema/invoice@1.0.0"), count(&blue, "schema/invoice@1.0.0")), (1, 1));

    let one = teams.get("/v1/models/schema/invoice").await.json();
    assert_eq!((&one["id"], &one["owned_by"]), (&json!("schema/invoice@1.0.0"), &json!("red")));
    let built_in = teams.blue(Method::GET, "/v1/models/schema/invoice", None).await.json();
    assert_eq!(built_in["owned_by"], "structured-prompt");
    let hidden = teams.blue(Method::GET, "/v1/models/schema/mine", None).await;
    assert_eq!(error(&hidden), (404, "not_found".to_owned(), json!("model")));

    teams.create("/v1/schemas", &schema("extraction", "public")).await;
    let (red, blue) = (teams.get("/v1/models").await, teams.blue(Method::GET, "/v1/models", None).await);
    let owner = |list: &Answer| {
        let list = list.json();
        let named = list["data"].as_array().unwrap().iter().filter(|it| it["id"] == "schema/extraction@1.0.0");
        named.map(|it| it["owned_by"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((owner(&red), owner(&blue)), (vec!["red".to_owned()], vec!["structured-prompt".to_owned()]));
    let for_blue = teams.blue(Method::GET, "/v1/models/schema/extraction", None).await.json();
    assert_eq!(for_blue["owned_by"], "structured-prompt", "what is public takes no built-in name from others");

    let request =
        json!({ "model": "schema/mine@1", "messages": [{ "role": "user", "content": "I want my money back" }] });
    let answer = teams.red(Method::POST, "/v1/chat/completions", Some(&request)).await.json();
    assert_eq!(answer["structured_prompt"]["schema"], "mine@1.0.0", "{answer}");
    let hidden = teams.blue(Method::POST, "/v1/chat/completions", Some(&request)).await;
    assert_eq!(error(&hidden), (404, "not_found".to_owned(), json!("model")));
}

#[tokio::test]
async fn a_template_whose_schema_is_gone_is_not_an_unknown_model() {
    let teams = Teams::new([]).await;
    teams.create("/v1/schemas", &schema("order", "private")).await;
    let parameters = json!([{ "name": "text" }]);
    let template =
        json!({ "name": "order", "template": "Read: {{ text }}", "parameters": parameters, "schema_id": "order" });
    teams.create("/v1/templates", &template).await;
    assert_eq!(teams.red(Method::DELETE, "/v1/schemas/order", None).await.status, 200);
    let ask = async |model: &str| {
        let request = json!({ "model": model, "messages": [{ "role": "user", "content": "3 chairs" }] });
        teams.red(Method::POST, "/v1/chat/completions", Some(&request)).await
    };
    let without_schema = ask("template/order").await;
    assert_eq!(error(&without_schema), (400, "invalid_request".to_owned(), json!("model")));
    assert!(without_schema.text.contains("needs the schema order"), "{without_schema:?}");
    assert_eq!(error(&ask("template/odrer").await), (404, "not_found".to_owned(), json!("model")));
}
