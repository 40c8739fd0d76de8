//! The parser of YAML, seen from outside: trees, places, and what it says about mistakes.

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a place that splits a character is to fail the test")]
mod yaml {
    use std::fmt::Write as _;

    use keylint_source::Problem;
    use keylint_syntax::{Arena, Kind, Node, Tree, limits, yaml};
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn parsed(source: &str) -> (Arena, Vec<Problem>) {
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        yaml::parse(source, &mut arena, &mut problems);
        (arena, problems)
    }

    fn value(node: Node<'_>) -> Value {
        match node.kind() {
            Kind::Null => Value::Null,
            Kind::Unknown => Value::from("?"),
            Kind::Bool(value) => Value::Bool(value),
            Kind::Number => serde_json::from_str(node.as_str().unwrap()).unwrap(),
            Kind::String => Value::from(node.as_str().unwrap()),
            Kind::Array => node.items().map(value).collect(),
            Kind::Object => {
                let member = |key: Node<'_>, node| (key.as_str().unwrap().to_owned(), value(node));
                Value::Object(node.members().map(|each| member(each.key, each.value)).collect())
            }
        }
    }

    fn values(source: &str) -> Vec<Value> {
        let (arena, _) = parsed(source);
        Tree::new(source, &arena).roots().map(value).collect()
    }

    fn assert_said(source: &str, expected: &[(&str, &str)]) {
        let (arena, problems) = parsed(source);
        assert_places(source, &arena, &problems);
        let said: Vec<_> =
            problems.iter().map(|problem| (&source[problem.at.range()], problem.message.as_str())).collect();
        assert_eq!(said, expected, "{source}");
    }

    /// Every place lies in the file and on character boundaries.
    fn assert_places(source: &str, arena: &Arena, problems: &[Problem]) {
        for problem in problems {
            assert!(source.get(problem.at.range()).is_some(), "{problem:?} in {source:?}");
        }
        let mut nodes: Vec<Node<'_>> = Tree::new(source, arena).roots().collect();
        while let Some(node) = nodes.pop() {
            assert!(source.get(node.span().range()).is_some(), "{:?} in {source:?}", node.span());
            let text = node.as_string().unwrap_or_default();
            for (index, character) in text.char_indices() {
                let span = node.text_span(index..index + character.len_utf8());
                assert!(source.get(span.range()).is_some(), "{span:?} in {source:?}");
                assert!(node.span().contains(span), "{span:?} in {source:?}");
            }
            nodes.extend(node.items().chain(node.members().flat_map(|each| [each.key, each.value])));
        }
    }

    #[test]
    fn collections_and_scalars_have_their_values_and_places() {
        let source = "\u{feff}a: é # comment\nb:\n  - yes\n  - true\n  -\nc: {d: [1, 0x1F, ~]}\n";
        let (arena, problems) = parsed(source);
        assert_eq!(problems, []);
        let root = Tree::new(source, &arena).root().unwrap();
        let cut = |node: Node<'_>| source[node.span().range()].to_owned();
        let items = |key: &str| root.get(key).unwrap().items().collect::<Vec<_>>();
        assert_eq!(root.span().start(), 3);
        assert_eq!(cut(root.get("a").unwrap()), "é");
        assert_eq!(cut(root.get("b").unwrap()), "- yes\n  - true\n  -");
        let kinds: Vec<_> = items("b").into_iter().map(Node::kind).collect();
        assert_eq!(kinds, [Kind::String, Kind::Bool(true), Kind::Null]);
        assert_eq!(cut(root.get("c").unwrap()), "{d: [1, 0x1F, ~]}");
        let kinds: Vec<_> = root.get("c").unwrap().get("d").unwrap().items().map(Node::kind).collect();
        assert_eq!(kinds, [Kind::Number, Kind::Number, Kind::Null]);
    }

    #[test]
    fn a_tag_changes_nothing_but_the_text_of_str() {
        let source = "a: !Subs x${y}\nb: !!str 12\nc: !ref 12\nd: !<!Sub> [x, y]\n!Ref e: !x {}\n";
        assert_said(source, &[]);
        assert_eq!(values(source), [json!({"a": "x${y}", "b": "12", "c": 12, "d": ["x", "y"], "e": {}})]);
    }

    #[test]
    fn short_forms_are_what_they_are_short_for() {
        let source = "
a: !Sub x${y}
b: !If
  - c
  - !Ref d
  - !Condition e
f: !FindInMap [!Ref g, !GetAtt h.i, 12]
j: !Transform {Name: k}
l: !Join
- ''
- - !Sub '${m}'
  - !Split
    - n
    - o
p: !Sub |
  q
r: !Ref
s: !Transform
  Name: t
";
        assert_said(source, &[]);
        let expected = json!({
            "a": {"Fn::Sub": "x${y}"},
            "b": {"Fn::If": ["c", {"Ref": "d"}, {"Condition": "e"}]},
            "f": {"Fn::FindInMap": [{"Ref": "g"}, {"Fn::GetAtt": "h.i"}, 12]},
            "j": {"Fn::Transform": {"Name": "k"}},
            "l": {"Fn::Join": ["", [{"Fn::Sub": "${m}"}, {"Fn::Split": ["n", "o"]}]]},
            "p": {"Fn::Sub": "q\n"},
            "r": {"Ref": null},
            "s": {"Fn::Transform": {"Name": "t"}},
        });
        assert_eq!(values(source), [expected]);
    }

    #[test]
    fn a_short_form_lies_between_its_tag_and_the_end_of_its_node() {
        let source = "a: !Sub 'é${y}'\nb: !If\n  - c\n  - !Ref d\n\ne: !Or [f]\ng: !Ref\nh: 1\n";
        let (arena, problems) = parsed(source);
        assert_eq!(problems, []);
        assert_places(source, &arena, &problems);
        let root = Tree::new(source, &arena).root().unwrap();
        let cut = |node: Node<'_>| &source[node.span().range()];
        let places: Vec<_> = root
            .members()
            .flat_map(|each| each.value.members().map(move |inner| (each.value, inner)))
            .map(|(object, inner)| [cut(object), cut(inner.key), cut(inner.value)])
            .collect();
        assert_eq!(
            places,
            [
                ["!Sub 'é${y}'", "!Sub", "'é${y}'"],
                ["!If\n  - c\n  - !Ref d", "!If", "- c\n  - !Ref d"],
                ["!Or [f]", "!Or", "[f]"],
                ["!Ref", "!Ref", ""],
            ]
        );
        let key = root.get("a").unwrap().members().next().unwrap().key;
        assert_eq!(&source[key.text_span(4..7).range()], "!Sub");
    }

    #[test]
    fn an_alias_of_a_short_form_is_all_of_it() {
        let source = "a: &x !Ref b\nc: !Sub &y d\ne: !Join &z ['', [f]]\ng: [*x, *y, *z]\n";
        assert_said(source, &[]);
        let [all] = values(source).try_into().unwrap();
        assert_eq!(all["g"], json!([{"Ref": "b"}, {"Fn::Sub": "d"}, {"Fn::Join": ["", ["f"]]}]));
    }

    #[test]
    fn short_forms_that_break_off_are_closed_and_those_too_deep_are_left_out() {
        assert_eq!(
            values("a: !If [b, !Ref\n---\nc: !Ref d: e\n---\nf: !Ref g\n")[2],
            json!({"f": {"Ref": "g"}})
        );
        let source = "!Not [".repeat(300) + "!Ref x";
        assert_said(&source, &[("[", "more than 128 lists and mappings inside one another")]);
        let source = format!("{}!Ref x{}", "[".repeat(128), "]".repeat(128));
        assert_said(&source, &[("x", "more than 128 lists and mappings inside one another")]);
    }

    #[test]
    fn keys_are_strings_and_duplicates_are_kept() {
        let source = "1: a\ntrue: b\n? long\n: c\n\"q\\u0065\": d\n1: e\n";
        let (arena, problems) = parsed(source);
        assert_eq!(problems, []);
        let keys: Vec<_> = Tree::new(source, &arena)
            .root()
            .unwrap()
            .members()
            .map(|each| each.key.as_string().unwrap())
            .collect();
        assert_eq!(keys, ["1", "true", "long", "qe", "1"]);
    }

    #[test]
    fn a_key_that_is_no_scalar_is_left_out_with_its_value() {
        let source = "a: 1\n? [x, {y: z}]\n: {b: [2]}\nc: 3\n";
        assert_said(source, &[("[", "a key must be a plain text")]);
        assert_eq!(values(source), [json!({"a": 1, "c": 3})]);
        let aliased = "a: &x [1]\n*x : 2\nc: 3\n";
        assert_said(aliased, &[("*", "a key must be a plain text")]);
        assert_eq!(values(aliased), [json!({"a": [1], "c": 3})]);
    }

    #[test]
    fn each_document_is_a_root_and_an_error_ends_only_its_own() {
        assert_eq!(values("a\n---\n- b\n...\n---\nc: d\n"), [json!("a"), json!(["b"]), json!({"c": "d"})]);
        let source = "- a\n---\nb: [\n---\nc: d: e\n---\nf: g\n";
        assert_said(source, &[("[", "a `[` or `{` is not closed"), (":", "unexpected `:` here")]);
        assert_eq!(values(source), [json!(["a"]), json!({"b": []}), json!({"c": "d"}), json!({"f": "g"})]);
        assert_eq!(values("# nothing\n"), [] as [Value; 0]);
    }

    #[test]
    fn mistakes_are_said_in_plain_words() {
        assert_said("a:\n\t- b\n", &[("-", "a tab cannot indent YAML")]);
        assert_said("a: \"b\n", &[("\"", "this string is not closed")]);
        assert_said("a: b: c\n", &[(":", "unexpected `:` here")]);
        assert_said("a: [b}\n", &[("[", "this `[` is closed by `}`")]);
        assert_said("a: ]\n", &[("]", "this bracket closes nothing")]);
        assert_said("a: @b\n", &[("@", "a plain text cannot begin with this character")]);
        assert_said("a: 'b' c\n", &[("c", "unexpected text after a string in quotes")]);
        assert_said("a: \"\\q\"\n", &[("\"", "this is no escape sequence of YAML")]);
        assert_said(
            "a:\n    b: 1\n  c: 2\n",
            &[("c", "this line is indented otherwise than the lines it belongs to")],
        );
    }

    #[test]
    fn an_alias_is_a_copy_with_the_places_of_the_original() {
        let source = "a: &x {k: \"v\\t\"}\nb: [*x, *x]\n*y : 1\n";
        let (arena, problems) = parsed(source);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, "the alias `*y` stands for nothing");
        assert_eq!(values(source), [json!({"a": {"k": "v\t"}, "b": [{"k": "v\t"}, {"k": "v\t"}]})]);
        let root = Tree::new(source, &arena).root().unwrap();
        let copy = root.get("b").unwrap().items().nth(1).unwrap().get("k").unwrap();
        assert_eq!(&source[copy.text_span(1..2).range()], "\\t");
    }

    #[test]
    fn aliases_are_bounded_in_number_and_depth() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            let inner = format!("*a{}, ", level - 1).repeat(9);
            writeln!(bomb, "a{level}: &a{level} [{inner}]").unwrap();
        }
        let (arena, problems) = parsed(&bomb);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, "the aliases of this file stand for more than 20000 values");
        assert!(arena.len() < 2 * limits::ALIAS_NODES);

        let deep = format!(
            "a: &a {}{}\nb: [{}*a{}]\n",
            "[".repeat(100),
            "]".repeat(100),
            "[".repeat(50),
            "]".repeat(50)
        );
        assert_said(&deep, &[("*", "more than 128 lists and mappings inside one another")]);
        assert_said("a: &a [*a]\n", &[("*a", "this alias stands for a node that it is part of")]);
    }

    #[test]
    fn nesting_is_bounded_and_said_once() {
        let indented =
            |levels: usize| (0..levels).fold(String::new(), |text, level| text + &" ".repeat(level) + "a:\n");
        let block = indented(300);
        let brackets = "[".repeat(100) + &"]".repeat(100);
        let mixed = format!("{}{}{brackets}\nb: 1\n", indented(100), " ".repeat(101));
        for source in ["[".repeat(100_000), "- ".repeat(100_000), block, mixed] {
            let (arena, problems) = parsed(&source);
            assert_places(&source, &arena, &problems);
            let messages: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
            assert_eq!(messages, ["more than 128 lists and mappings inside one another"]);
        }
    }

    /// Words that each style may hold, and how they are written in it.
    const WORDS: [[&str; 5]; 6] = [
        ["kms:Encrypt"; 5],
        ["é日😀"; 5],
        ["it's", "it''s", "it's", "it's", "it's"],
        ["a\"b", "a\"b", "a\\\"b", "a\"b", "a\"b"],
        ["x\\y", "x\\y", "x\\\\y", "x\\y", "x\\y"],
        ["😀z", "😀z", "\\ud83d\\ude00\\x7a", "😀z", "😀z"],
    ];

    proptest! {
        #[test]
        fn each_word_of_a_text_leads_back_to_the_file(
            style in 0_usize..5,
            words in prop::collection::vec((0_usize..6, 0_usize..4), 1..12),
            is_crlf: bool,
        ) {
            let (head, tail) = [("", ""), ("'", "'"), ("\"", "\""), ("|\n    ", ""), (">-\n    ", "")][style];
            let mut source = format!("# é\nkey: {head}");
            let mut written = Vec::new();
            for (index, (word, gap)) in words.iter().enumerate() {
                if index > 0 {
                    source.push_str(match (gap, style) {
                        (0, _) => " ",
                        (1, _) => "\n    ",
                        (2, 2) => " \\\n      ",
                        (2, _) => "\n\n\n    ",
                        (_, 3 | 4) => "\n      ",
                        _ => "  \n  \t ",
                    });
                }
                written.push((WORDS[*word][0], source.len(), WORDS[*word][style]));
                source.push_str(WORDS[*word][style]);
            }
            let ends: Vec<_> = written.iter().map(|(_, start, text)| source[*start..][..text.len()].to_owned()).collect();
            source.push_str(tail);
            source.push_str("\nlast: x\n");
            if is_crlf {
                source = source.replace('\n', "\r\n");
            }
            let (arena, problems) = parsed(&source);
            prop_assert_eq!(&problems, &[]);
            assert_places(&source, &arena, &problems);
            let root = Tree::new(&source, &arena).root().unwrap();
            let node = root.get("key").unwrap();
            let text = node.as_string().unwrap();
            let mut from = 0;
            for ((word, _, _), end) in written.iter().zip(&ends) {
                let at = from + text[from..].find(word).unwrap();
                from = at + word.len();
                let span = node.text_span(at..from);
                prop_assert_eq!(&source[span.range()], end);
            }
            prop_assert_eq!(root.get("last").and_then(Node::as_str), Some("x"));
        }

        #[test]
        fn any_text_has_its_places_in_bounds(source: String) {
            let (arena, problems) = parsed(&source);
            assert_places(&source, &arena, &problems);
            prop_assert!(problems.len() <= limits::PROBLEMS);
        }

        #[test]
        fn any_tokens_have_their_places_in_bounds(
            tokens in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "é", ": ", "- ", "\n", "\n  ", "\n\t", "{", "}", "[", "]", ", ", "\"", "'", "\\", "\\x41", "|",
                    ">", ">2", "&x ", "*x", "!t ", "!Ref ", "# c", "---\n", "...\n", "? ", "%YAML 1.2\n", "\r\n", "\u{feff}", "~",
                    "\u{2028}", "\u{85}", "\\N", "\\\n",
                ]),
                0..40,
            ),
        ) {
            let source = tokens.concat();
            let (arena, problems) = parsed(&source);
            assert_places(&source, &arena, &problems);
        }

        #[test]
        fn json_is_read_as_json_is(texts in prop::collection::vec("[ -~é日😀\n\t]{0,20}", 0..6), number: i64) {
            let mut expected = json!({"number": number, "list": texts});
            expected["nested"] = json!([{"a": null, "b": [true, false, {}]}]);
            for source in [serde_json::to_string(&expected).unwrap(), serde_json::to_string_pretty(&expected).unwrap()] {
                prop_assert_eq!(&parsed(&source).1, &[]);
                prop_assert_eq!(values(&source), std::slice::from_ref(&expected));
            }
        }
    }
}
