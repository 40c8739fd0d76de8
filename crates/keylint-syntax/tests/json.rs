//! The parser of JSON, seen from outside: trees, places, and what it says about mistakes.

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a place that splits a character is to fail the test")]
mod json {
    use keylint_source::Problem;
    use keylint_syntax::{Arena, Kind, Node, Tree, json, limits};
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use serde_json::Value;

    fn parsed(source: &str) -> (Arena, Vec<Problem>) {
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        json::parse(source, &mut arena, &mut problems);
        (arena, problems)
    }

    /// What is said about a text, each with the text it is said about.
    fn said(source: &str) -> Vec<(String, String)> {
        let (_, problems) = parsed(source);
        problems.into_iter().map(|problem| (source[problem.at.range()].to_owned(), problem.message)).collect()
    }

    fn assert_said(source: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(at, words)| ((*at).to_owned(), (*words).to_owned())).collect();
        assert_eq!(said(source), expected, "{source}");
    }

    /// The tree in a short notation: what could not be read is `?`.
    fn shape(source: &str) -> String {
        let (arena, _) = parsed(source);
        Tree::new(source, &arena).root().map_or_else(String::new, shape_of)
    }

    fn shape_of(node: Node<'_>) -> String {
        match node.kind() {
            Kind::Null => "null".into(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number => node.as_str().unwrap().into(),
            Kind::String => format!("{:?}", node.as_str().unwrap()),
            Kind::Unknown => "?".into(),
            Kind::Array => format!("[{}]", node.items().map(shape_of).collect::<Vec<_>>().join(",")),
            Kind::Object => {
                let members = node.members().map(|member| {
                    assert_eq!(member.key.kind(), Kind::String);
                    format!("{}:{}", shape_of(member.key), shape_of(member.value))
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    fn value(node: Node<'_>) -> Value {
        match node.kind() {
            Kind::Null | Kind::Unknown => Value::Null,
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

    /// Every place lies in the file, on character boundaries, and inside of the place around it.
    fn assert_places(source: &str, arena: &Arena, problems: &[Problem]) {
        for problem in problems {
            assert!(source.get(problem.at.range()).is_some(), "{problem:?} in {source:?}");
        }
        let mut nodes: Vec<Node<'_>> = Tree::new(source, arena).roots().collect();
        while let Some(node) = nodes.pop() {
            assert!(source.get(node.span().range()).is_some(), "{:?} in {source:?}", node.span());
            assert!(source.get(node.content_span().range()).is_some());
            let text = node.as_string().unwrap_or_default();
            for (index, character) in text.char_indices() {
                let span = node.text_span(index..index + character.len_utf8());
                assert!(source.get(span.range()).is_some(), "{span:?} in {source:?}");
                assert!(node.span().contains(span));
            }
            let children: Vec<_> =
                node.items().chain(node.members().flat_map(|each| [each.key, each.value])).collect();
            assert!(children.iter().all(|child| node.span().contains(child.span())), "{source:?}");
            nodes.extend(children);
        }
    }

    #[test]
    fn every_kind_of_value_is_read_with_its_place() {
        let source = " {\"a\" : [ null, true, false, -1.5e+3, \"é\", {}, [] ] }\r\n";
        let (arena, problems) = parsed(source);
        assert_eq!(problems, []);
        assert_eq!(shape(source), r#"{"a":[null,true,false,-1.5e+3,"é",{},[]]}"#);
        let root = Tree::new(source, &arena).root().unwrap();
        let texts: Vec<_> = root.get("a").unwrap().items().map(|item| &source[item.span().range()]).collect();
        assert_eq!(texts, ["null", "true", "false", "-1.5e+3", "\"é\"", "{}", "[]"]);
        assert_eq!(&source[root.span().range()], source.trim());
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_change_nothing_but_offsets() {
        let source = "\u{feff}{\r\n\t\"a\": 1\r\n}\r\n";
        let (arena, problems) = parsed(source);
        assert_eq!(problems, []);
        let root = Tree::new(source, &arena).root().unwrap();
        assert_eq!(root.span().start(), 3);
        assert_eq!(shape(source), r#"{"a":1}"#);
    }

    #[test]
    fn a_place_inside_of_a_string_leads_back_through_escapes() {
        let source = r#"["kms:\u0045ncrypt", "a\"\ud83d\ude00\/z"]"#;
        let (arena, problems) = parsed(source);
        assert_eq!(problems, []);
        let items: Vec<_> = Tree::new(source, &arena).root().unwrap().items().collect();
        let at = |item: usize, range: std::ops::Range<usize>| &source[items[item].text_span(range).range()];
        assert_eq!(items[0].as_str(), Some("kms:Encrypt"));
        assert_eq!(at(0, 4..11), r"\u0045ncrypt");
        assert_eq!(at(0, 5..11), "ncrypt");
        assert_eq!(items[1].as_str(), Some("a\"😀/z"));
        assert_eq!(at(1, 2..6), r"\ud83d\ude00");
        assert_eq!(at(1, 6..8), r"\/z");
        assert_eq!(&source[items[1].content_span().range()], r#"a\"\ud83d\ude00\/z"#);
    }

    #[test]
    fn duplicate_keys_and_huge_numbers_are_kept_as_they_are() {
        let source = r#"{"a": 1, "a": 123456789012345678901234567890, "b": 1e999999}"#;
        assert_said(source, &[]);
        assert_eq!(shape(source), r#"{"a":1,"a":123456789012345678901234567890,"b":1e999999}"#);
    }

    #[test]
    fn an_empty_file_has_a_problem_at_its_start() {
        for source in ["", " \n\t", "\u{feff}"] {
            let (arena, problems) = parsed(source);
            assert_eq!(problems.len(), 1, "{source:?}");
            assert_eq!((problems[0].at.range(), problems[0].message.as_str()), (0..0, "this file is empty"));
            assert!(Tree::new(source, &arena).root().is_none());
        }
    }

    #[test]
    fn commas_too_many_or_too_few() {
        assert_said(r#"{"a": 1,}"#, &[(",", "unexpected `,` before `}`")]);
        assert_said("[1, ]", &[(",", "unexpected `,` before `]`")]);
        assert_said("[1 2]", &[("1", "expected `,` or `]` after this value")]);
        assert_said(
            "{\"a\": [1]\n\"b\": {}\n\"c\": 3}",
            &[("]", "expected `,` or `}` after this value"), ("}", "expected `,` or `}` after this value")],
        );
        assert_said("[1,,2]", &[(",", "expected a value before this `,`")]);
        assert_said(r#"{,"a":1}"#, &[(",", "expected a key before this `,`")]);
        assert_eq!(shape("{\"a\": [1]\n\"b\": {}\n\"c\": 3,}"), r#"{"a":[1],"b":{},"c":3}"#);
        assert_eq!(shape("[1,,2 3]"), "[1,2,3]");
    }

    #[test]
    fn colons_that_are_missing_or_others() {
        assert_said(r#"{"a" 1}"#, &[("\"a\"", "expected `:` after this key")]);
        assert_said(r#"{"a" = 1}"#, &[("=", "expected `:` between a key and its value")]);
        assert_said(r#"{"a": "x", "b"}"#, &[("\"b\"", "expected `:` and a value after this key")]);
        assert_said(
            r#"{"a": , "b": }"#,
            &[(":", "expected a value after this `:`"), (":", "expected a value after this `:`")],
        );
        assert_eq!(shape(r#"{"a" 1, "b" = 2, "c", "d": }"#), r#"{"a":1,"b":2,"c":?,"d":?}"#);
    }

    #[test]
    fn brackets_that_are_missing_or_too_many() {
        assert_said(r#"{"a": [1, 2"#, &[("[", "this `[` is not closed")]);
        assert_said(r#"{"a": [1, 2}"#, &[("[", "this `[` is not closed")]);
        assert_said("[1}]", &[("}", "this `}` closes nothing")]);
        assert_said("{} }", &[("}", "expected the end of the file after this JSON value, found `}`")]);
        assert_said(
            "{\"a\": 1}\tdefault\n",
            &[("default", "expected the end of the file after this JSON value, found `default`")],
        );
        assert_eq!(shape(r#"{"a": [1, {"b": 2"#), r#"{"a":[1,{"b":2}]}"#);
        assert_eq!(shape(r#"{"a": [1, 2}"#), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn comments_are_no_json_and_hide_nothing() {
        assert_said(
            "{ // one\n \"a\": /* two */ 1 # three\n}",
            &[
                ("// one", "JSON has no comments"),
                ("/* two */", "JSON has no comments"),
                ("# three", "JSON has no comments"),
            ],
        );
        assert_eq!(shape("{ // \"x\": 0,\n \"a\": /* , */ 1 }"), r#"{"a":1}"#);
        assert_said("[1] /*/ x", &[("/*/ x", "JSON has no comments")]);
    }

    #[test]
    fn text_in_other_quotation_marks_or_none() {
        assert_said(
            "{'a': “b”}",
            &[
                ("'a'", "a string of JSON is in double quotes, not in `'`"),
                ("“b”", "a string of JSON is in double quotes, not in `“`"),
            ],
        );
        assert_eq!(shape("{'a': “b”}"), r#"{"a":"b"}"#);
        assert_said(
            "{Effect: Allow, \"b\": True}",
            &[
                ("Effect", "the key `Effect` is not in double quotes"),
                ("Allow", "expected a value, found `Allow`"),
                ("True", "expected a value, found `True`"),
            ],
        );
        assert_eq!(shape("{Effect: Allow, \"b\": True}"), r#"{"Effect":?,"b":?}"#);
        assert_said("<html>\n<body>{}</body>", &[("<html>", "expected a JSON value, found `<html>`")]);
        assert_said("{\"a\": 1, ...}", &[("...", "expected a key in double quotes, found `...`")]);
        assert_said("[1,\u{a0}2]", &[("\u{a0}", "the character U+00A0 is no blank of JSON")]);
    }

    #[test]
    fn a_string_that_is_not_closed_ends_with_its_line() {
        let source = "{\n  \"Effect\": \"Allow,\n  \"Sid: \"x\",\n  \"a\": [\"b, \"c\"],\n  \"d\": 1\n}";
        let messages = said(source);
        assert_eq!(messages[0], ("\"Allow".to_owned(), "this string is not closed".to_owned()));
        // One for each line with a mistake, and none for those without.
        assert_eq!(messages.len(), 3, "{messages:?}");
        let (arena, _) = parsed(source);
        let root = Tree::new(source, &arena).root().unwrap();
        assert_eq!(root.get("Effect").map(Node::kind), Some(Kind::Unknown));
        assert_eq!(root.get("d").and_then(Node::as_str), Some("1"));
        assert_said("[\"a\nb\"]", &[("\n", "a string cannot hold a line break as it is")]);
        assert_said("[\"a]\n", &[("\"a", "this string is not closed")]);
        assert_said("{\"a\": \"b", &[("\"b", "this string is not closed")]);
    }

    #[test]
    fn escapes_that_json_does_not_know() {
        assert_said(
            r#"["\q", "\u12", "\ud800", "\udc00x"]"#,
            &[
                (r"\q", r"`\q` is no escape sequence of JSON"),
                (r"\u12", r"`\u12` is not followed by four hexadecimal digits"),
                (r"\ud800", r"`\ud800` is half of a surrogate pair and no character"),
                (r"\udc00", r"`\udc00` is half of a surrogate pair and no character"),
            ],
        );
        assert_eq!(shape(r#"["\q", "\u12", "\ud800\u0041", "\udc00x"]"#), r#"["q","�","�A","�x"]"#);
        assert_said("[\"a\tb\0c\"]", &[("\t", "a string cannot hold a tab as it is")]);
        assert_said("[\"\0\"]", &[("\0", "a string cannot hold a control character U+0000 as it is")]);
    }

    #[test]
    fn numbers_that_json_does_not_know() {
        assert_said(
            "[012, 1., +1, .5, -, NaN, 0x1F, 1e]",
            &[
                ("012", "the number `012` begins with a zero"),
                ("1.", "`1.` is no number of JSON"),
                ("+1", "`+1` begins with `+`, which no number of JSON does"),
                (".5", "`.5` is no number of JSON"),
                ("-", "`-` is no number of JSON"),
                ("NaN", "expected a value, found `NaN`"),
                ("0x1F", "`0x1F` is no number of JSON"),
                ("1e", "`1e` is no number of JSON"),
            ],
        );
        assert_eq!(shape("[012, 0, -0.5]"), "[?,0,-0.5]");
    }

    #[test]
    fn nesting_is_bounded_and_said_once() {
        let deep = limits::NESTING + 1;
        for source in [
            "[".repeat(100_000),
            "[".repeat(100_000) + &"]".repeat(100_000),
            "{\"a\":".repeat(100_000),
            "[".repeat(deep) + &"]".repeat(deep),
        ] {
            let messages = said(&source);
            assert_eq!(messages.len(), 1, "{messages:?}");
            assert_eq!(messages[0].1, "more than 128 arrays and objects inside one another");
        }
        let fits = "[".repeat(limits::NESTING) + &"]".repeat(limits::NESTING);
        assert_said(&fits, &[]);
        let around = format!("[{}1{}, {{\"b\": 2}}]", "[".repeat(200), "]".repeat(200));
        assert!(shape(&around).ends_with(",{\"b\":2}]"));
    }

    #[test]
    fn problems_are_bounded() {
        assert_eq!(said(&"x,".repeat(10_000)).len(), 1);
        assert_eq!(said(&format!("[{}]", "x,".repeat(10_000))).len(), limits::PROBLEMS);
    }

    #[test]
    fn long_texts_are_read_in_linear_time() {
        // Each of these is quadratic for a parser that looks ahead without a bound.
        for part in ["\"\n x", "\"\n\n\n\n", "/*", "'", "\\\"", "\"a\":{", "“"] {
            let source = format!("[{}", part.repeat(300_000));
            assert!(!said(&source).is_empty());
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
        ];
        let text = prop_oneof!["[a-z:*]{0,12}", any::<String>()];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            number,
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn assert_agrees_with_serde(source: &str) {
        let (arena, problems) = parsed(source);
        assert_places(source, &arena, &problems);
        match serde_json::from_str::<Value>(source.strip_prefix('\u{feff}').unwrap_or(source)) {
            Ok(expected) => {
                assert_eq!(problems, [], "{source:?}");
                assert_eq!(value(Tree::new(source, &arena).root().unwrap()), expected, "{source:?}");
            }
            // It refuses numbers that no float can hold, and one level of nesting less than we.
            Err(error)
                if error.to_string().contains("out of range") || error.to_string().contains("recursion") => {}
            Err(error) => assert!(!problems.is_empty(), "{error} in {source:?}"),
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read_as_it_was_written(expected in any_value(), is_pretty: bool) {
            let source =
                if is_pretty { serde_json::to_string_pretty(&expected) } else { serde_json::to_string(&expected) };
            assert_agrees_with_serde(&source.unwrap());
        }

        #[test]
        fn a_mutation_is_a_problem_exactly_if_it_is_no_json(
            expected in any_value(),
            is_pretty: bool,
            cuts in prop::collection::vec(
                (any::<prop::sample::Index>(), 0_usize..4, "[\\[\\]{},:\"'\\\\/#* \n\t0-9.eE+a-fntu\u{e9}\u{0}-]{0,3}"),
                1..4,
            ),
        ) {
            let mut source =
                if is_pretty { serde_json::to_string_pretty(&expected) } else { serde_json::to_string(&expected) }
                    .unwrap();
            for (at, length, text) in cuts {
                let floor = |mut at: usize| {
                    while !source.is_char_boundary(at) {
                        at -= 1;
                    }
                    at
                };
                let start = floor(at.index(source.len() + 1));
                let end = floor((start + length).min(source.len()));
                source.replace_range(start..end.max(start), &text);
            }
            assert_agrees_with_serde(&source);
        }

        #[test]
        fn any_text_has_its_places_in_bounds(source: String) {
            assert_agrees_with_serde(&source);
        }

        #[test]
        fn any_tokens_have_their_places_in_bounds(
            tokens in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "'", "\n", " ", "1", "-", "true", "x", "//", "/*",
                    "\\", "\\u", "é", "“", "#", "=", "\u{0}", "0", "\u{feff}",
                ]),
                0..40,
            ),
        ) {
            assert_agrees_with_serde(&tokens.concat());
        }
    }
}
