//! One service with all its ports, built from its configuration or in code.

use std::fmt;

use incident_core::config::{ConfigError, Ports, Secret};

use crate::catalogue::Catalogue;
use crate::client::Client;
use crate::config::HttpConfig;
use crate::mitigator::HttpMitigator;
use crate::notifier::WebhookNotifier;
use crate::probe::HttpProbe;
use crate::request;

/// The ports of one service. They share one client.
pub struct HttpBackend {
    shown: String,
    probes: Vec<(String, HttpProbe)>,
    mitigator: Option<HttpMitigator>,
    webhook: Option<WebhookNotifier>,
}

impl HttpBackend {
    /// Builds what `config` declares. Reads secrets, and connects to nothing.
    ///
    /// Makes ring the process's default TLS provider if there is none yet.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn new(config: HttpConfig) -> Result<Self, ConfigError> {
        let client = Client::new(&config)?;
        let effect_header = request::header_name("effect_header", &config.effect_header)?;
        let probes = config.probes.iter();
        let probes = probes
            .map(|(name, probe)| Ok((name.clone(), HttpProbe::new(client.clone(), name, probe)?)))
            .collect::<Result<_, ConfigError>>()?;
        let catalogue = Catalogue::new(&config.mitigations, &config.base)?;
        let mitigator = (!catalogue.is_empty())
            .then(|| HttpMitigator::new(client.clone(), catalogue, effect_header.clone()));
        let webhook = match config.webhook {
            Some(webhook) => {
                let path = webhook.path.read("webhook.path", &config.base)?;
                let path = Secret::new(request::path("webhook.path", path.expose())?);
                let secret = webhook.secret.read("webhook.secret", &config.base)?;
                if webhook.dedupes_for.is_some_and(|within| within.is_zero()) {
                    let problem = "expected more than nothing, or leave it out";
                    return Err(ConfigError::new("webhook.dedupes_for", problem));
                }
                let (client, within) = (client.clone(), webhook.dedupes_for);
                Some(WebhookNotifier::new(client, path, secret, effect_header, within))
            }
            None => None,
        };
        Ok(Self { shown: client.shown().to_owned(), probes, mitigator, webhook })
    }

    /// The mitigator alone, if one is declared.
    #[must_use]
    pub fn into_mitigator(self) -> Option<HttpMitigator> {
        self.mitigator
    }

    /// The notifier alone, if one is declared.
    #[must_use]
    pub fn into_notifier(self) -> Option<WebhookNotifier> {
        self.webhook
    }

    /// The ports, as an engine takes them.
    #[must_use]
    pub fn into_ports(self) -> Ports {
        let mut ports = Ports::new();
        for (name, probe) in self.probes {
            ports = ports.with_probe(&name, probe);
        }
        if let Some(mitigator) = self.mitigator {
            ports = ports.with_mitigator(mitigator);
        }
        if let Some(webhook) = self.webhook {
            ports = ports.with_notifier(webhook);
        }
        ports
    }
}

impl fmt::Debug for HttpBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBackend").field("base", &self.shown).finish_non_exhaustive()
    }
}
