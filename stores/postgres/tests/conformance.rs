//! The suite that every store is held to: on the server itself, behind a transaction-mode pooler, and as the role that
//! the README says suffices.

mod common;

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use incident_core::conformance::store::StoreHarness;
use incident_core::port::store::Store;
use incident_postgres::{Options, PostgresStore, migrate};
use incident_postgres_testing::{Pooler, Server};

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);
static POOLER: LazyLock<Pooler> = LazyLock::new(|| Pooler::start(&SERVER));

/// A database of its own; each handle is a store of its own on it, as in another process.
struct Database(Options);

#[async_trait]
impl StoreHarness for Database {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(self.0.clone()).await.expect("the database is ours"))
    }
}

mod server {
    use super::{Database, Options, SERVER};

    incident_core::store_conformance!(|| {
        let address = SERVER.address(&SERVER.database());
        Database(Options::new(&address).expect("it is an address").connections(4))
    });
}

mod pooler {
    use super::{Database, Options, POOLER, SERVER};

    incident_core::store_conformance!(|| {
        let database = SERVER.database();
        let options = Options::new(&POOLER.address(&database)).expect("it is an address").connections(4);
        Database(options.listen_at(&SERVER.address(&database)).expect("it is an address"))
    });
}

/// Roles belong to the whole server.
static ROLE: LazyLock<()> =
    LazyLock::new(|| drop(SERVER.run("postgres", "CREATE ROLE incident_engine LOGIN")));

/// A database whose tables another role made.
struct Granted {
    owner: Options,
    engine: Options,
    database: String,
}

#[async_trait]
impl StoreHarness for Granted {
    async fn open(&self) -> Arc<dyn Store> {
        migrate(&self.owner).await.expect("the database is ours");
        SERVER.run(&self.database, &common::grants());
        Arc::new(PostgresStore::open(self.engine.clone()).await.expect("the role may"))
    }
}

mod role {
    use super::{Granted, LazyLock, Options, ROLE, SERVER};

    incident_core::store_conformance!(|| {
        LazyLock::force(&ROLE);
        let database = SERVER.database();
        let owner = SERVER.address(&database);
        let engine = owner.replace("user=postgres", "user=incident_engine");
        Granted {
            owner: Options::new(&owner).expect("it is an address"),
            engine: Options::new(&engine).expect("it is an address").connections(4).without_migrating(),
            database,
        }
    });
}
