//! The examples of the rules.

use keylint::lint::{ConfigFile, Linter, Settings};
use keylint_syntax::{Arena, Node, Tree, yaml};
use pretty_assertions::assert_eq;

/// What an example says, and where in the rule file it says so.
pub(crate) struct Example<'t> {
    pub(crate) name: String,
    pub(crate) node: Node<'t>,
}

/// Calls `each` for every example: with its kind, the name of its rule, and itself.
pub(crate) fn each_example(mut each: impl FnMut(&str, &str, Example<'_>)) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    for path in files {
        let rule = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        yaml::parse(&text, &mut arena, &mut problems);
        assert_eq!(problems, [], "{rule}");
        let root = Tree::new(&text, &arena).root().unwrap();
        for kind in ["bad", "good"] {
            let list = root.get("examples").and_then(|examples| examples.get(kind));
            let nodes: Vec<Node<'_>> = list.into_iter().flat_map(Node::items).collect();
            let keeps_itself = root.get("raised-by").is_some_and(|by| by.as_str() != Some("grammar"));
            assert!(!nodes.is_empty() || keeps_itself, "{rule} has no {kind} example");
            for node in nodes {
                let why = node.get("why").and_then(Node::as_str).unwrap_or("?");
                each(kind, &rule, Example { name: format!("{rule}: {why}"), node });
            }
        }
    }
}

impl Example<'_> {
    /// The configuration, for a file of this name.
    pub(crate) fn config(&self, path: &str) -> Option<String> {
        let config = self.node.get("config").map(keylint_syntax::to_json);
        config.map(|text| text.replace("example.json", path))
    }

    /// What checks the example in a file of this name, as it says and as `select` says.
    pub(crate) fn linter(&self, path: &str, select: &[&str]) -> Linter {
        let services = self.node.get("services").into_iter().flat_map(Node::items);
        let settings = Settings {
            config: self.config(path).map(|text| ConfigFile { path: "keylint.yaml".to_owned(), text }),
            account: self.node.get("account").and_then(Node::as_str).map(str::to_owned),
            services: services.filter_map(Node::as_str).map(str::to_owned).collect(),
            select: select.iter().map(|&name| name.to_owned()).collect(),
            ..Settings::default()
        };
        let (linter, problems, _) = Linter::new(&settings, &|_| unreachable!("no file is named")).unwrap();
        assert_eq!(problems, []);
        linter
    }
}
