//! What a request asks of its session before its statement runs, and what is undone behind it in a session that is kept.

use crate::Exception;
use crate::engine::{Engine, Session};
use crate::exception::Code;
use crate::ffi::Connection;
use crate::format::DEFAULT;
use crate::http::{Request, Table};
use crate::sql::{check_inside, may_only_read, top_level_parts};
use crate::watch::REQUEST;

/// The setting that takes the right to modify, and to change settings: it is always the last.
const READONLY: &str = "readonly";

/// Gives the session the request's database, roles, settings and tables.
///
/// # Errors
///
/// What the engine refuses; a statement that may not run in a kept session (164). What was done before has to be undone.
pub(crate) fn prepare(
    engine: &Engine,
    session: &mut Session,
    request: &Request,
    statement: &[u8],
) -> Result<Undo, (Undo, Exception)> {
    // Nothing could undo `readonly`, so that in a kept session the statement itself is looked at.
    if session.is_kept() && request.reads_only() && !may_only_read(statement) {
        return Err((Undo::default(), modifies()));
    }
    let mut undo = Undo::of(session, request).map_err(|exception| (Undo::default(), exception))?;
    match change(engine, session, request, &mut undo) {
        Ok(()) => Ok(undo),
        Err(exception) => Err((undo, exception)),
    }
}

/// The exception of a statement that would modify something where nothing may be modified.
pub(crate) fn modifies() -> Exception {
    Exception::new(Code::Readonly, "Cannot execute query in readonly mode")
}

fn change(engine: &Engine, session: &mut Session, request: &Request, undo: &mut Undo) -> Result<(), Exception> {
    let is_kept = session.is_kept();
    let connection = &mut session.connection;
    if !request.database.is_empty() {
        execute(connection, &format!("USE {}", quote(&request.database, '`')))?;
    }
    if !request.roles.is_empty() {
        let roles: Vec<String> = request.roles.iter().map(|role| quote(role, '`')).collect();
        execute(connection, &format!("SET ROLE {}", roles.join(", ")))?;
    }
    let mark = (REQUEST.to_owned(), request.mark.to_string());
    let (last, settings): (Vec<_>, Vec<_>) = request.settings.iter().partition(|(name, _)| name == READONLY);
    execute(connection, &set([&mark].into_iter().chain(settings)))?;
    for table in &request.tables {
        fill(engine, connection, table, undo)?;
    }
    if !last.is_empty() && !is_kept {
        execute(connection, &set(last.into_iter()))?;
    }
    Ok(())
}

fn set<'s>(settings: impl Iterator<Item = &'s (String, String)>) -> String {
    let settings: Vec<String> =
        settings.map(|(name, value)| format!("{} = {}", quote(name, '`'), quote(value, '\''))).collect();
    format!("SET {}", settings.join(", "))
}

/// Makes a temporary table of the data that came with the request (ClickHouse's external data).
fn fill(engine: &Engine, connection: &mut Connection, table: &Table, undo: &mut Undo) -> Result<(), Exception> {
    let name = quote(&table.name, '`');
    let structure = match (table.structure.as_str(), table.types.as_str()) {
        ("", "") => {
            let message = format!("Neither structure nor types of the external table {} were given", table.name);
            return Err(Exception::new(Code::BadArguments, message));
        }
        ("", types) => {
            let columns = top_level_parts(types).enumerate().map(|(index, kind)| format!("_{} {kind}", index + 1));
            columns.collect::<Vec<_>>().join(", ")
        }
        (structure, _) => structure.to_owned(),
    };
    let create = format!("CREATE TEMPORARY TABLE {name} ({structure}) ENGINE = Memory");
    if engine.is_confined() {
        check_inside(create.as_bytes())?;
    }
    execute(connection, &create)?;
    // Only from here on it is the request's: before, it may be one that the session has.
    undo.statements.push(format!("DROP TEMPORARY TABLE {name}"));
    let format = if table.format.is_empty() { DEFAULT } else { &table.format };
    let statement = format!("INSERT INTO {name}");
    let mut insert = connection.insert(statement.as_bytes(), format, &[])?;
    insert.append(&table.data)?;
    insert.finish()?;
    Ok(())
}

/// Statements that give a kept session back what a request has changed for itself.
#[derive(Default)]
pub(crate) struct Undo {
    statements: Vec<String>,
}

impl Undo {
    fn of(session: &mut Session, request: &Request) -> Result<Self, Exception> {
        let mut undo = Self::default();
        if !session.is_kept() {
            return Ok(undo);
        }
        let mut ask = |sql: String| {
            let answer = session.connection.query(sql.as_bytes(), "TSVRaw", &[])?;
            Ok::<_, Exception>(String::from_utf8_lossy(answer.bytes()).trim_end_matches('\n').to_owned())
        };
        if !request.database.is_empty() {
            undo.statements.push(format!("USE {}", quote(&ask("SELECT currentDatabase()".to_owned())?, '`')));
        }
        let names: Vec<String> = request.settings.iter().map(|(name, _)| quote(name, '\'')).collect();
        if !names.is_empty() {
            let text = r"'\'' || replaceAll(replaceAll(value, '\\', '\\\\'), '\'', '\\\'') || '\''";
            let names = names.join(", ");
            let sql = format!(
                "SELECT arrayStringConcat(groupArray('`' || name || '` = ' || if(changed, {text}, 'DEFAULT')), ', ') \
                 FROM system.settings WHERE name IN ({names})"
            );
            let settings = ask(sql)?;
            if !settings.is_empty() {
                undo.statements.push(format!("SET {settings}"));
            }
        }
        Ok(undo)
    }

    /// Gives the session back what it was.
    ///
    /// # Errors
    ///
    /// What the engine says; the session is not what it was, and should end.
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Exception> {
        self.statements.iter().try_for_each(|statement| execute(&mut session.connection, statement))
    }
}

fn execute(connection: &mut Connection, statement: &str) -> Result<(), Exception> {
    connection.query(statement.as_bytes(), DEFAULT, &[]).map(|_| ())
}

/// A name or a string of SQL.
fn quote(text: &str, quote: char) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for character in text.chars() {
        if character == quote || character == '\\' {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push(quote);
    quoted
}
