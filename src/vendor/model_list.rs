//! The list of models, as each vendor's own API has it.
//!
//! Shapes: OpenAI's `GET /v1/models` (`openai` for Python, types/model.py), Mistral's (`mistralai` for Python,
//! models/basemodelcard.py), Anthropic's `GET /v1/models` (`anthropic` for
//! Python, types/model_info.py), Gemini's `models.list` (`google-genai`, types.Model), Vertex AI's list of Google's models
//! (`google-genai`, models.py: `_Model_from_vertex`, _transformers.py: `t_extract_models`), Cohere's `GET /v1/models`
//! (`cohere`, types/list_models_response.py), Bedrock's `ListFoundationModels` (botocore, bedrock/2023-04-20).

use serde_json::{Value, json};

/// In which shape a list of models is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModelList {
    /// OpenAI's.
    #[default]
    OpenAi,
    /// Mistral's: OpenAI's, and what a model can do.
    Mistral,
    /// Anthropic's.
    Anthropic,
    /// Gemini's.
    Gemini,
    /// That of Vertex AI, of Google's own models.
    Vertex,
    /// Cohere's.
    Cohere,
    /// That of Amazon Bedrock.
    Bedrock,
}

/// When a model was made, where a vendor's list has to say it and nobody knows.
const NO_DAY: &str = "1970-01-01T00:00:00Z";

impl ModelList {
    /// The list of `models`, which `owner` offers, as JSON.
    pub fn of<'m>(self, models: impl Iterator<Item = &'m str>, owner: &str) -> Value {
        let models = models.collect::<Vec<_>>();
        let each = |make: fn(&str) -> Value| models.iter().map(|model| make(model)).collect::<Vec<_>>();
        match self {
            Self::OpenAi => {
                let entry =
                    |id: &&str| json!({ "id": id, "object": "model", "created": 0, "owned_by": owner });
                json!({ "object": "list", "data": models.iter().map(entry).collect::<Vec<_>>() })
            }
            Self::Mistral => {
                let entry = |id: &&str| {
                    json!({
                        "id": id, "object": "model", "created": 0, "owned_by": owner, "type": "base",
                        "capabilities": { "completion_chat": true, "function_calling": true },
                    })
                };
                json!({ "object": "list", "data": models.iter().map(entry).collect::<Vec<_>>() })
            }
            Self::Anthropic => json!({
                "data": each(|id| json!({ "type": "model", "id": id, "display_name": id, "created_at": NO_DAY })),
                "has_more": false,
                "first_id": models.first(),
                "last_id": models.last(),
            }),
            Self::Gemini => json!({
                "models": each(|id| json!({
                    "name": format!("models/{id}"),
                    "displayName": id,
                    "supportedGenerationMethods": ["generateContent", "countTokens"],
                })),
            }),
            Self::Vertex => json!({
                "publisherModels": each(|id| json!({
                    "name": format!("publishers/google/models/{id}"),
                    "displayName": id,
                })),
            }),
            Self::Cohere => json!({ "models": each(|id| json!({ "name": id, "endpoints": ["chat"] })) }),
            Self::Bedrock => json!({ "modelSummaries": each(foundation_model) }),
        }
    }
}

/// A model as Bedrock lists it. One that is an ARN may be of something else than a model, of which no provider is known.
fn foundation_model(id: &str) -> Value {
    let arn = match id.starts_with("arn:") {
        true => id.to_owned(),
        false => format!("arn:aws:bedrock:::foundation-model/{id}"),
    };
    let mut model = json!({ "modelArn": arn, "modelId": id, "modelName": id });
    if let (Some(provider), Some(members)) = (provider(id), model.as_object_mut()) {
        members.insert("providerName".to_owned(), provider.into());
    }
    model
}

/// Who made a model of Bedrock: the first part of its id, or the one after the geography whose regions share its work.
fn provider(id: &str) -> Option<&str> {
    let (first, rest) = id.rsplit('/').next().unwrap_or(id).split_once('.')?;
    match is_geography(first) {
        true => rest.split_once('.').map(|(provider, _)| provider),
        false => Some(first),
    }
}

/// `litellm` 1.109.1, llms/bedrock/common_utils.py, has `global`, `us`, `eu`, `apac`, `jp`, `au` and `us-gov`. Any other of
/// two letters is taken for a country: no provider's name is as short.
fn is_geography(part: &str) -> bool {
    part.len() == 2 || ["apac", "global", "us-gov"].contains(&part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_every_model() {
        let table = [
            (ModelList::OpenAi, "/data", "/id"),
            (ModelList::Mistral, "/data", "/id"),
            (ModelList::Anthropic, "/data", "/id"),
            (ModelList::Gemini, "/models", "/displayName"),
            (ModelList::Vertex, "/publisherModels", "/displayName"),
            (ModelList::Cohere, "/models", "/name"),
            (ModelList::Bedrock, "/modelSummaries", "/modelId"),
        ];
        for (shape, list, name) in table {
            let told = shape.of(["a", "b"].into_iter(), "us");
            let entries = told.pointer(list).and_then(Value::as_array).unwrap();
            let names: Vec<_> = entries.iter().map(|entry| entry.pointer(name).unwrap()).collect();
            assert_eq!(names, ["a", "b"], "{shape:?}");
        }
    }

    #[test]
    fn a_list_can_be_empty() {
        let told = ModelList::Anthropic.of(std::iter::empty(), "us");
        assert_eq!((&told["data"], &told["first_id"]), (&json!([]), &Value::Null));
    }

    #[test]
    fn a_model_of_bedrock_has_its_provider_and_its_arn() {
        let own = "arn:aws:bedrock:::foundation-model/";
        let profile = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-2-lite-v1:0";
        let opaque = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3";
        for (id, provider, is_arn) in [
            ("amazon.nova-2-lite-v1:0", Some("amazon"), false),
            ("eu.amazon.nova-2-lite-v1:0", Some("amazon"), false),
            ("us-gov.anthropic.claude-opus-5", Some("anthropic"), false),
            ("global.anthropic.claude-opus-5", Some("anthropic"), false),
            ("apac.amazon.nova-lite-v1:0", Some("amazon"), false),
            ("ca.amazon.nova-lite-v1:0", Some("amazon"), false),
            ("deepseek.v3.2", Some("deepseek"), false),
            ("zai.glm-5", Some("zai"), false),
            ("eu.nova", None, false),
            ("our-model", None, false),
            ("", None, false),
            (profile, Some("amazon"), true),
            (opaque, None, true),
        ] {
            let told = ModelList::Bedrock.of([id].into_iter(), "us");
            let model = &told["modelSummaries"][0];
            let arn = if is_arn { id.to_owned() } else { format!("{own}{id}") };
            assert_eq!((&model["modelArn"], &model["modelId"]), (&json!(arn), &json!(id)));
            assert_eq!(model.get("providerName"), provider.map(|name| json!(name)).as_ref(), "{id}");
        }
    }

    #[test]
    fn a_model_of_vertex_is_named_as_its_clients_ask_for_it() {
        let told = ModelList::Vertex.of(["gemini-2.5-pro"].into_iter(), "us");
        let expected =
            json!({ "name": "publishers/google/models/gemini-2.5-pro", "displayName": "gemini-2.5-pro" });
        assert_eq!(told, json!({ "publisherModels": [expected] }));
    }
}
