//! What an input may be at most. All of these are far above what a policy, a template or a rule file needs.

/// Bytes of a file: 256 MiB. Offsets are 32 bits wide, and a plan of a large estate has some tens of MiB.
pub const FILE_BYTES: usize = 256 << 20;
/// Arrays and objects inside one another.
pub const NESTING: usize = 128;
/// Nodes that the aliases of one YAML file may expand to, all together.
pub const ALIAS_NODES: usize = 20_000;
/// Problems reported for one file; a binary file named `.json` has no more to say after these.
pub const PROBLEMS: usize = 20;
/// Violations of a schema reported for one document.
pub const VIOLATIONS: usize = 1_000;
