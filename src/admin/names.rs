//! Names that stand in bodies and answers.

use crate::gateway::Environment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum EnvironmentName {
    Production,
    Sandbox,
}

impl EnvironmentName {
    /// `production` or `sandbox`.
    pub(super) fn as_str(self) -> &'static str {
        Environment::from(self).as_str()
    }
}

impl From<EnvironmentName> for Environment {
    fn from(name: EnvironmentName) -> Self {
        match name {
            EnvironmentName::Production => Self::Production,
            EnvironmentName::Sandbox => Self::Sandbox,
        }
    }
}

impl From<Environment> for EnvironmentName {
    fn from(environment: Environment) -> Self {
        match environment {
            Environment::Production => Self::Production,
            Environment::Sandbox => Self::Sandbox,
        }
    }
}
