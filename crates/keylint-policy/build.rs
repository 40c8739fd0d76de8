//! Writes the tables of the KMS vocabulary, `data/*.json`, as Rust constants for `src/vocabulary/tables.rs`.
//!
//! The tables are checked here, so that a slip in the data is an error of the build and not of a policy's verdict:
//! every condition key that an operation names exists, every `kms:` key is sent by some operation, nothing is there
//! twice.

#[path = "src/vocabulary/fingerprint.rs"]
mod fingerprint;

use std::error::Error;
use std::fmt::Write as _;
use std::{env, fs, io};

use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let table = read("data/operations.json")?;
    let operations = Operation::all(&table)?;
    let keys = Key::all(&read("data/condition-keys.json")?, &operations)?;
    let prefixes = read("data/service-prefixes.json")?;
    let regions = read("data/regions.json")?;

    let mut code = String::new();
    write_operations(&mut code, &operations)?;
    write_keys(&mut code, &keys)?;
    let actions = [texts(&prefixes, "actions")?, texts(&prefixes, "retired")?].concat();
    write_names(&mut code, "SERVICE_PREFIXES", actions)?;
    write_names(&mut code, "CONDITION_KEY_PREFIXES", texts(&prefixes, "conditionKeysOnly")?)?;
    let mut of_all_partitions = Vec::new();
    for partition in regions.as_object().ok_or("not a table of partitions")?.keys() {
        of_all_partitions.extend(texts(&regions, partition)?);
    }
    write_names(&mut code, "REGIONS", of_all_partitions)?;
    let folder = env::var("OUT_DIR")?;
    fs::write(format!("{folder}/vocabulary.rs"), code)?;
    Ok(())
}

/// One row of `operations.json`, with what its resource types add.
struct Operation<'t> {
    row: &'t Value,
    name: String,
    on_key: bool,
    condition_keys: Vec<String>,
}

impl<'t> Operation<'t> {
    /// All operations, in the order of their names.
    fn all(table: &'t Value) -> Result<Vec<Self>> {
        let resource_types = table.get("resourceTypes").ok_or("no resourceTypes")?;
        let mut all = Vec::new();
        for row in rows(table.get("operations").ok_or("no operations")?)? {
            let resources = texts(row, "resources")?;
            let mut condition_keys = texts(row, "conditionKeys")?;
            for resource in &resources {
                condition_keys.extend(texts(resource_types, resource)?);
            }
            let on_key = resources.iter().any(|resource| resource == "key");
            all.push(Self { row, name: text(row, "name")?, on_key, condition_keys });
        }
        all.sort_by_key(|operation| operation.name.to_ascii_lowercase());
        unique(all.iter().map(|operation| operation.name.as_str()))?;
        Ok(all)
    }

    /// Whether KMS sends the key with this operation. A name that ends in `*` stands for a family of keys.
    fn sends(&self, key: &str) -> bool {
        self.condition_keys.iter().any(|named| names(named, key))
    }
}

/// One row of `condition-keys.json`; a numbered row is already several.
struct Key {
    name: String,
    value_type: String,
    multi_valued: bool,
    origin: &'static str,
    operations: u64,
}

impl Key {
    /// All keys, in the order of their names in lower case.
    fn all(table: &Value, operations: &[Operation<'_>]) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        for row in rows(table)? {
            let name = text(row, "name")?;
            let names = match row.get("numbered").and_then(Value::as_u64) {
                Some(count) => (0..count).map(|number| format!("{name}{number}")).collect(),
                None => vec![name],
            };
            for name in names {
                let origin = match name.split(':').next() {
                    Some("kms") => "Kms",
                    Some("aws") => "Global",
                    _ => "CrossService",
                };
                let mut sent_with = mask(operations, |operation| operation.sends(&name));
                if origin == "Kms" && sent_with == 0 {
                    return Err(format!("no operation sends {name}").into());
                }
                // AWS lists a global key with an operation only where it goes with some operations and not all.
                if sent_with == 0 {
                    sent_with = mask(operations, |_| true);
                }
                all.push(Self {
                    value_type: text(row, "type")?,
                    multi_valued: flag(row, "multiValued"),
                    origin,
                    operations: sent_with,
                    name,
                });
            }
        }
        all.sort_by_key(|key| key.name.to_ascii_lowercase());
        unique(all.iter().map(|key| key.name.as_str()))?;
        for named in operations.iter().flat_map(|operation| &operation.condition_keys) {
            if !all.iter().any(|key| names(named, &key.name)) {
                return Err(format!("no condition key {named}").into());
            }
        }
        Ok(all)
    }

    /// The name of the constant: without the service where KMS and AWS at large own it.
    fn constant(&self) -> String {
        let own = self.name.trim_start_matches("kms:").trim_start_matches("aws:");
        constant(own.trim_end_matches([':', '/']))
    }
}

fn write_operations(code: &mut String, operations: &[Operation<'_>]) -> Result<()> {
    let masks = [
        ("ALL", mask(operations, |_| true)),
        ("ON_KEY", mask(operations, |operation| operation.on_key)),
        ("ACROSS_ACCOUNTS", mask(operations, |operation| flag(operation.row, "acrossAccounts"))),
        ("IN_GRANTS", mask(operations, |operation| flag(operation.row, "inGrants"))),
        ("CONDITION_KEYS_KNOWN", mask(operations, |operation| !flag(operation.row, "conditionKeysAreGuess"))),
    ];
    for (name, mask) in masks {
        writeln!(code, "pub(super) const {name}: u64 = {};", hexadecimal(mask))?;
    }
    let count = operations.len();
    writeln!(code, "pub(super) const OPERATION_COUNT: usize = {count};")?;
    writeln!(code, "pub(super) static OPERATIONS: [OperationFacts; OPERATION_COUNT] = [")?;
    for operation in operations {
        let name = &operation.name;
        let mut key_types = String::new();
        for key_type in texts(operation.row, "keyTypes")? {
            let (spec, usage) = key_type.split_once(':').ok_or("a key type is SPEC:USAGE")?;
            write!(key_types, "KeyType {{ spec: {spec:?}, usage: {usage:?} }}, ")?;
        }
        let qualified = format!("kms:{name}");
        writeln!(
            code,
            "    OperationFacts {{ name: {name:?}, qualified: {qualified:?}, key_types: &[{key_types}] }},"
        )?;
    }
    writeln!(code, "];")?;
    write_lookup(code, "OPERATION_LOOKUP", operations.iter().map(|operation| operation.name.as_str()))?;
    let by_letter = (b'a'..=b'z').map(|letter| {
        mask(operations, |o| o.name.bytes().next().is_some_and(|first| first.to_ascii_lowercase() == letter))
    });
    let by_letter: Vec<String> = by_letter.map(hexadecimal).collect();
    writeln!(code, "pub(super) static OPERATIONS_BY_LETTER: [u64; 26] = [{}];", by_letter.join(", "))?;
    writeln!(code, "impl Operation {{")?;
    for (number, Operation { name, .. }) in operations.iter().enumerate() {
        let constant = constant(name);
        writeln!(code, "    /// `kms:{name}`\n    pub const {constant}: Self = Self({number});")?;
    }
    writeln!(code, "}}")?;
    Ok(())
}

fn write_keys(code: &mut String, keys: &[Key]) -> Result<()> {
    let count = keys.len();
    writeln!(code, "pub(super) const CONDITION_KEY_COUNT: usize = {count};")?;
    writeln!(code, "pub(super) static CONDITION_KEYS: [KeyFacts; CONDITION_KEY_COUNT] = [")?;
    for Key { name, value_type, multi_valued, origin, operations } in keys {
        let operations = hexadecimal(*operations);
        writeln!(
            code,
            "    KeyFacts {{ name: {name:?}, value_type: ValueType::{value_type}, multi_valued: {multi_valued}, \
             origin: KeyOrigin::{origin}, operations: Operations({operations}) }},"
        )?;
    }
    writeln!(code, "];")?;
    write_lookup(code, "CONDITION_KEY_LOOKUP", keys.iter().map(|key| key.name.as_str()))?;
    writeln!(code, "impl KeyId {{")?;
    for (number, key) in keys.iter().enumerate() {
        let (name, constant) = (&key.name, key.constant());
        writeln!(code, "    /// `{name}`\n    pub const {constant}: Self = Self({number});")?;
    }
    writeln!(code, "}}")?;
    Ok(())
}

/// A table in which each name has a slot of its own: multipliers are tried until one gives that.
fn write_lookup<'t>(code: &mut String, table: &str, names: impl Iterator<Item = &'t str>) -> Result<()> {
    const NONE: u8 = u8::MAX;
    let fingerprints: Vec<u64> = names.map(fingerprint::fingerprint).collect();
    let slots = fingerprints.len().next_power_of_two() * 8;
    let mut multiplier = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..1_000_000 {
        // The numbers of a linear congruential generator, by Knuth.
        multiplier =
            multiplier.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut places = vec![NONE; slots];
        let fits = fingerprints.iter().enumerate().all(|(place, fingerprint)| {
            let slot = places.get_mut(fingerprint::slot(*fingerprint, multiplier | 1, slots));
            let free = slot.filter(|slot| **slot == NONE).zip(u8::try_from(place).ok());
            free.map(|(slot, place)| *slot = place).is_some()
        });
        if fits {
            let multiplier = hexadecimal(multiplier | 1);
            writeln!(
                code,
                "pub(super) static {table}: Lookup<{slots}> = Lookup {{ multiplier: {multiplier}, slots: {places:?} }};"
            )?;
            return Ok(());
        }
    }
    Err(format!("{table}: two names have one fingerprint").into())
}

fn write_names(code: &mut String, name: &str, mut names: Vec<String>) -> Result<()> {
    names.sort();
    unique(names.iter().map(String::as_str))?;
    let count = names.len();
    writeln!(code, "pub(super) static {name}: [&str; {count}] = {names:?};")?;
    Ok(())
}

/// `GrantIsForAWSResource` as `GRANT_IS_FOR_AWS_RESOURCE`: an underscore before a capital that starts a word.
fn constant(name: &str) -> String {
    let characters: Vec<char> = name.replace("IPv4", "Ipv4").replace([':', '/'], "_").chars().collect();
    let mut constant = String::new();
    for (place, &character) in characters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| characters.get(place));
        let after = characters.get(place + 1);
        let starts_word = character.is_uppercase()
            && before.is_some_and(|&before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        if starts_word {
            constant.push('_');
        }
        constant.push(character.to_ascii_uppercase());
    }
    constant
}

/// Whether the name of a table, which may end in `*`, means the key.
fn names(named: &str, key: &str) -> bool {
    named.strip_suffix('*').map_or(named == key, |family| key.starts_with(family))
}

fn mask(operations: &[Operation<'_>], of: impl Fn(&Operation<'_>) -> bool) -> u64 {
    operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| of(operation))
        .fold(0, |mask, (bit, _)| mask | 1 << bit)
}

fn hexadecimal(mask: u64) -> String {
    let [a, b, c, d] = [mask >> 48, mask >> 32 & 0xffff, mask >> 16 & 0xffff, mask & 0xffff];
    format!("0x{a:04x}_{b:04x}_{c:04x}_{d:04x}")
}

fn unique<'t>(sorted: impl Iterator<Item = &'t str>) -> Result<()> {
    let mut last = "";
    for name in sorted {
        if name.eq_ignore_ascii_case(last) {
            return Err(format!("{name} is there twice").into());
        }
        last = name;
    }
    Ok(())
}

fn read(path: &str) -> Result<Value> {
    io::Write::write_all(&mut io::stdout(), format!("cargo::rerun-if-changed={path}\n").as_bytes())?;
    let table = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    serde_json::from_str(&table).map_err(|error| format!("{path}: {error}").into())
}

fn rows(table: &Value) -> Result<&Vec<Value>> {
    table.as_array().ok_or_else(|| format!("not a list: {table}").into())
}

fn text(row: &Value, field: &str) -> Result<String> {
    let text = row.get(field).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("no {field} in {row}").into())
}

fn texts(row: &Value, field: &str) -> Result<Vec<String>> {
    let items = row.get(field).ok_or_else(|| format!("no {field} in {row}"))?;
    let text =
        |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| format!("not a text: {item}").into());
    rows(items)?.iter().map(text).collect()
}

fn flag(row: &Value, field: &str) -> bool {
    row.get(field).and_then(Value::as_bool).unwrap_or(false)
}
