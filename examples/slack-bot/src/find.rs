//! Which incident is meant, and which channels are over.

use incident_core::IncidentId;
use incident_core::log::incident::Incident;
use incident_core::port::store::Query;
use incident_slack::intake::{Answer, is_about};

use crate::bot::Bot;

impl Bot {
    /// The incident that is meant: the one named, the one whose place this is, or the only one there is.
    pub(crate) async fn find(
        &self,
        named: Option<IncidentId>,
        channel: &str,
        thread: Option<&str>,
    ) -> Result<Incident, Answer> {
        if let Some(named) = named {
            return self.state(named).await;
        }
        let open = self.open().await?;
        let meant: Vec<&Incident> = open.iter().filter(|it| is_about(it, channel, thread)).collect();
        match (meant.as_slice(), open.as_slice()) {
            ([incident], _) => Ok((*incident).clone()),
            ([], [incident]) => Ok(incident.clone()),
            (_, []) => {
                Err(Answer::new("There is no open incident. /incident declare WHAT IS WRONG begins one."))
            }
            (_, several) => {
                let line = |it: &Incident| format!("#{} {}", it.id.short(), it.title_words());
                let names: Vec<String> = several.iter().map(line).collect();
                let first = several[0].id.short();
                let names = names.join("\n");
                Err(Answer::new(&format!(
                    "Which one? Name it first, such as /incident #{first} status:\n{names}"
                )))
            }
        }
    }

    pub(crate) async fn state(&self, incident: IncidentId) -> Result<Incident, Answer> {
        self.engine.incident(incident).state().await.map_err(|error| self.failed(&error))
    }

    /// Every incident that may be named.
    pub(crate) async fn known(&self) -> Result<Vec<IncidentId>, Answer> {
        self.ids(Query::all()).await
    }

    /// The incidents that haven't ended, of those that owe anything.
    pub(crate) async fn open(&self) -> Result<Vec<Incident>, Answer> {
        let mut open = Vec::new();
        for id in self.ids(Query::unsettled()).await? {
            // One that this version can't read is left alone, and said elsewhere.
            if let Ok(incident) = self.engine.incident(id).state().await
                && incident.ended.is_none()
            {
                open.push(incident);
            }
        }
        Ok(open)
    }

    async fn ids(&self, query: Query) -> Result<Vec<IncidentId>, Answer> {
        let unread = |_| Answer::new("The store can't be read at the moment; try again.");
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.engine.store().list(&query.clone().after(after)).await.map_err(unread)?;
            ids.extend(page.rows.iter().map(|row| row.id));
            after = page.rows.last().map(|row| row.id);
            if !page.more || after.is_none() {
                return Ok(ids);
            }
        }
    }

    /// Archives the channels of incidents that ended long enough ago.
    pub(crate) async fn archive(&self) {
        let Ok(ids) = self.known().await else { return };
        for id in ids {
            if let Ok(incident) = self.engine.incident(id).state().await {
                // What can't be archived now is tried again the next time.
                let _ = self.slack.archive_room(&incident, self.engine.now()).await;
            }
        }
    }
}
