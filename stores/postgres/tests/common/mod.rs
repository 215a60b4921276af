//! What several tests need.

/// The SQL by which the README grants the engine's role what it needs.
pub(crate) fn grants() -> String {
    let readme = include_str!("../../README.md");
    let sql = readme.split("```sql").nth(1).and_then(|rest| rest.split("```").next());
    sql.expect("the README has the grants").to_owned()
}
