//! The list of models, as each vendor's own API has it.
//!
//! Shapes: OpenAI's `GET /v1/models` (`openai` for Python, types/model.py), Mistral's (`mistralai` for Python,
//! models/basemodelcard.py), Anthropic's `GET /v1/models` (`anthropic` for
//! Python, types/model_info.py), Gemini's `models.list` (`google-genai`, types.Model), Cohere's `GET /v1/models`
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
            Self::Cohere => json!({ "models": each(|id| json!({ "name": id, "endpoints": ["chat"] })) }),
            Self::Bedrock => json!({
                "modelSummaries": each(|id| json!({
                    "modelArn": format!("arn:aws:bedrock:::foundation-model/{id}"),
                    "modelId": id,
                    "modelName": id,
                    "providerName": id.split('.').next().unwrap_or(id),
                })),
            }),
        }
    }
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
}
