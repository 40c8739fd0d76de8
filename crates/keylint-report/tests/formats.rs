//! Every format, on diagnostics of every shape.
//!
//! The expected texts lie in `tests/expected`; `UPDATE=1 cargo test -p keylint-report` rewrites them. Look at what
//! is underlined before you keep a change.

#[cfg(test)]
mod shapes;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use keylint_report::{Format, OUTPUT_SCHEMA, Report, Style, Summary, write};
    use pretty_assertions::assert_eq;
    use serde_json::Value;

    use crate::shapes::Shapes;

    const PLAIN: Style = Style { color: false, width: 100, unicode: true };

    fn written(format: Format, style: Style, shapes: &Shapes) -> String {
        let summary = Summary {
            policies: 15,
            grants: 0,
            identity_policies: 0,
            files: 17,
            errors: 19,
            warnings: 2,
            notes: 1,
            unknown: shapes.unknown.len(),
            ignored: 3,
            baselined: 0,
        };
        let rules: Vec<_> = shapes.rules.iter().collect();
        let report = Report {
            rules: &rules,
            unknown: &shapes.unknown,
            version: "0.1.0",
            ..Report::new(&shapes.sources, &shapes.diagnostics, &summary)
        };
        let mut out = Vec::new();
        write(format, &report, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn compare(name: &str, written: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, written).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, expected, "{name} differs; UPDATE=1 rewrites it");
    }

    #[test]
    fn full() {
        compare("full.txt", &written(Format::Full, PLAIN, &Shapes::all()));
    }

    #[test]
    fn full_in_ascii() {
        compare("full-ascii.txt", &written(Format::Full, Style { unicode: false, ..PLAIN }, &Shapes::all()));
    }

    #[test]
    fn concise() {
        compare("concise.txt", &written(Format::Concise, PLAIN, &Shapes::all()));
    }

    #[test]
    fn json() {
        compare("json.json", &written(Format::Json, PLAIN, &Shapes::all()));
    }

    /// The formats for people and for JSON have tests of their own above.
    #[test]
    fn formats_that_others_prescribe() {
        for format in Format::ALL {
            let extension = match format {
                Format::Full | Format::Concise | Format::Json => continue,
                Format::Sarif | Format::Gitlab | Format::Rdjson => "json",
                Format::Junit | Format::Checkstyle => "xml",
                _ => "txt",
            };
            let name = format!("{}.{extension}", format.as_str());
            compare(&name, &written(format, PLAIN, &Shapes::all()));
        }
    }

    #[test]
    fn colour_adds_colour_and_nothing_else() {
        let shapes = Shapes::all();
        let plain = written(Format::Full, PLAIN, &shapes);
        let coloured = written(Format::Full, Style { color: true, ..PLAIN }, &shapes);
        assert!(coloured.contains("\u{1b}[1;31merror[several-near]\u{1b}[0m: "));
        assert!(!coloured.contains("\u{1b}]"), "no hyperlinks");
        let mut stripped = String::new();
        for (index, part) in coloured.split("\u{1b}[").enumerate() {
            stripped.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_eq!(stripped, plain);
    }

    #[test]
    fn no_format_writes_what_a_terminal_would_obey() {
        let hidden =
            |character: char| character != '\n' && (character.is_control() || character == '\u{202e}');
        for format in Format::ALL {
            assert!(!written(format, PLAIN, &Shapes::all()).contains(hidden), "{format:?}");
        }
    }

    /// What stands in a file must not give commands to the log of a build server.
    #[test]
    fn no_format_writes_commands_but_its_own() {
        for format in Format::ALL {
            let text = written(format, PLAIN, &Shapes::all());
            let own = match format {
                Format::Github => "::",
                Format::Azure => "##vso[task.logissue ",
                Format::Teamcity => "##teamcity[inspection",
                _ => "\u{0}",
            };
            for line in text.lines() {
                let rest = line.strip_prefix(own).unwrap_or(line);
                assert!(!rest.trim_start().starts_with("::"), "{format:?}: {line}");
                for command in ["##[", "##vso[", "##teamcity["] {
                    assert!(!rest.contains(command), "{format:?}: {line}");
                }
            }
        }
    }

    /// The schema is that of the standard, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>.
    #[test]
    fn sarif_is_what_its_schema_says() {
        let mut schema: Value = serde_json::from_str(include_str!("schemas/sarif-2.1.0.json")).unwrap();
        // This pattern of the standard is no regular expression. It is about a language that keylint does not state.
        for definition in ["run", "toolComponent"] {
            let language = &mut schema["definitions"][definition]["properties"]["language"];
            language.as_object_mut().unwrap().remove("pattern");
        }
        let validator = jsonschema::validator_for(&schema).unwrap();
        let document: Value = serde_json::from_str(&written(Format::Sarif, PLAIN, &Shapes::all())).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        let mut wrong = document.clone();
        wrong["runs"][0]["results"][0]["level"] = Value::from("fatal");
        assert!(!validator.is_valid(&wrong), "the schema tells a document from another");

        // What code scanning needs beyond the schema.
        for result in document["runs"][0]["results"].as_array().unwrap() {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.is_empty() && !uri.starts_with(['/', '.']), "{uri}");
            for name in ["startLine", "startColumn", "endLine", "endColumn"] {
                assert!(place["region"][name].as_u64().unwrap() >= 1, "{result}");
            }
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        }
    }

    /// One place, in the unit of each format: `é 日 😀` in front of it, a tab, and CR LF.
    #[test]
    fn columns_are_in_the_unit_of_the_format() {
        let mut shapes = Shapes::of_two_places("{\r\n\té日😀: here\r\n", (15, 19), (15, 19));
        shapes.diagnostics[0].related.clear();
        let json = |format| serde_json::from_str::<Value>(&written(format, PLAIN, &shapes)).unwrap();
        let sarif =
            &json(Format::Sarif)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
        let region = ["startLine", "startColumn", "endLine", "endColumn"].map(|name| sarif[name].as_u64());
        assert_eq!(region, [Some(2), Some(7), Some(2), Some(11)]);
        let range = &json(Format::Rdjson)["diagnostics"][0]["location"]["range"];
        assert_eq!(range["start"]["column"], 13);
        assert_eq!(range["end"]["column"], 17);
        let others = [
            (Format::Full, "x.json:2:7]"),
            (Format::Plain, "x.json:2:7:"),
            (Format::Concise, "x.json:2:7: error"),
            (Format::Json, "\"column\": 7,"),
            (Format::JsonLines, "\"column\":7,"),
            (Format::Github, "line=2,col=7,endLine=2,endColumn=11"),
            (Format::Junit, "x.json:2:7: two places"),
            (Format::Checkstyle, "line=\"2\" column=\"7\""),
            (Format::RdjsonLines, "\"column\":13"),
            (Format::Azure, "linenumber=2;columnnumber=7;"),
            (Format::Markdown, "`x.json:2:7`"),
        ];
        for (format, place) in others {
            let text = written(format, PLAIN, &shapes);
            assert!(text.contains(place), "{format:?}: {text}");
        }
    }

    #[test]
    fn only_full_asks_for_a_style() {
        let shapes = Shapes::all();
        let other = Style { color: true, width: 40, unicode: false };
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Full) {
            assert_eq!(written(format, other, &shapes), written(format, PLAIN, &shapes));
        }
    }

    #[test]
    fn concise_is_one_line_for_each_diagnostic() {
        let shapes = Shapes::all();
        let text = written(Format::Concise, PLAIN, &shapes);
        assert_eq!(text.lines().count(), shapes.diagnostics.len());
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
    }

    #[test]
    fn a_one_line_policy_fills_no_screen() {
        let text = written(Format::Full, PLAIN, &Shapes::all().only("one-line-policy"));
        assert!(text.lines().count() <= 15, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    }

    /// What JSON says of a place, cut out of the file, is what the diagnostic points at.
    #[test]
    fn json_points_at_the_bytes() {
        let shapes = Shapes::all().only("multi-byte");
        let document: Value = serde_json::from_str(&written(Format::Json, PLAIN, &shapes)).unwrap();
        let found = &document["diagnostics"][0];
        let at = &shapes.diagnostics[0].primary.at;
        let text = shapes.sources.get(at.file).unwrap().text();
        let offset = |end: &str| usize::try_from(found[end]["offset"].as_u64().unwrap()).unwrap();
        assert_eq!(text.get(offset("start")..offset("end")), Some("kms:Decrypt"));
    }

    #[test]
    fn json_is_what_its_schema_says_and_nothing_else() {
        let mut schema: Value = serde_json::from_str(OUTPUT_SCHEMA).unwrap();
        forbid_unknown_fields(&mut schema);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let document: Value = serde_json::from_str(&written(Format::Json, PLAIN, &Shapes::all())).unwrap();
        let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());

        let mut wrong = document;
        wrong["diagnostics"][0]["start"]["line"] = Value::from(0);
        assert!(!validator.is_valid(&wrong), "the schema tells a document from another");
    }

    /// Readers must bear new fields; what this version writes must all be described.
    fn forbid_unknown_fields(schema: &mut Value) {
        if let Some(object) = schema.as_object_mut() {
            if object.contains_key("required") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(forbid_unknown_fields);
        }
    }

    /// Any place, in any text, at any width: nothing panics, and the label is drawn.
    #[test]
    fn every_place_of_a_hostile_text_can_be_drawn() {
        let text = "\u{feff}{\r\n\t\"é日😀\u{1b}[2J\u{202e}\":\t[]\n\n}\r";
        let length = u32::try_from(text.len()).unwrap();
        for start in 0..length + 2 {
            for end in start..length + 2 {
                let shapes = Shapes::of_two_places(text, (start, end), (end, end));
                for width in [0, 1, 80] {
                    let drawn = written(Format::Full, Style { width, ..PLAIN }, &shapes);
                    assert!(
                        drawn.contains("the first") && drawn.contains("the second"),
                        "{start}..{end}\n{drawn}"
                    );
                    assert!(!drawn.contains("Failed"), "{start}..{end}\n{drawn}");
                }
                for format in Format::ALL {
                    written(format, PLAIN, &shapes);
                }
            }
        }
    }
}
