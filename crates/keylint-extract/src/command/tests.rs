use keylint_source::Span;
use pretty_assertions::assert_eq;

use super::{GrantCommand, grant_commands};
use crate::value::{Piece, PieceKind, Text, Value, ValueKind};

/// The members of a request as `Name=value` lines. What is not known is `?name`, any number of it `*name`.
fn rendered(value: &Value) -> String {
    let ValueKind::Object(members) = &value.kind else { return one(value) };
    let lines = members.iter().map(|(key, value)| [key.text.decoded(), "=".into(), one(value), "\n".into()]);
    lines.flatten().collect()
}

fn one(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(text) => text.decoded(),
        ValueKind::List(items) => items.iter().map(one).collect::<Vec<_>>().join(" "),
        ValueKind::Object(members) => {
            let members =
                members.iter().map(|(key, value)| format!("{}: {}", key.text.decoded(), one(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Unknown(name) => format!("?{name}"),
        ValueKind::Several(name) => format!("*{name}"),
        other => format!("{other:?}"),
    }
}

/// Every place in a command is one in the text, and what is exact is what is written there.
fn check_places(text: &str, command: &GrantCommand) {
    let written = |at: Span| text.get(at.range()).unwrap_or_else(|| panic!("{at:?} is no place in {text:?}"));
    let in_text = |read: &Text| {
        for Piece { text, at, kind } in &read.pieces {
            let written = written(*at);
            if matches!(kind, PieceKind::Exact) {
                assert_eq!(text, written);
            }
        }
    };
    written(command.request.at);
    assert!(written(command.at).starts_with("aws"));
    assert!(command.request.at.contains(command.at));
    walk(&command.request, &mut |text, at| {
        in_text(text);
        written(at);
    });
}

/// Calls `look` with every text in a value, keys too, and the place of what it belongs to.
fn walk(value: &Value, look: &mut dyn FnMut(&Text, Span)) {
    match &value.kind {
        ValueKind::Text(text) => look(text, value.at),
        ValueKind::List(items) => items.iter().for_each(|item| walk(item, look)),
        ValueKind::Object(members) => members.iter().for_each(|(key, value)| {
            look(&key.text, key.at);
            walk(value, look);
        }),
        _ => look(&Text::default(), value.at),
    }
}

/// The commands of a text, with their places checked.
fn commands(text: &str) -> Vec<GrantCommand> {
    let commands = grant_commands(text);
    for command in &commands {
        check_places(text, command);
    }
    commands
}

/// All requests in a text.
fn requests(text: &str) -> Vec<String> {
    commands(text).iter().map(|command| rendered(&command.request)).collect()
}

/// The only request in a text.
fn request(text: &str) -> String {
    let requests = requests(text);
    let [only] = requests.as_slice() else { panic!("{} commands in {text:?}", requests.len()) };
    only.clone()
}

/// The members in the order of their names, so that they can be given in any order.
fn sorted(request: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = request.lines().collect();
    lines.sort_unstable();
    lines
}

const EXPECTED: [&str; 4] = [
    "Constraints={EncryptionContextSubset: {Department: IT}}",
    "GranteePrincipal=arn:aws:iam::111122223333:user/exampleUser",
    "KeyId=1234abcd",
    "Operations=Decrypt Encrypt",
];

#[test]
fn a_command_reads_the_same_in_every_spelling() {
    const OPTIONS: &str = "--key-id 1234abcd --grantee-principal arn:aws:iam::111122223333:user/exampleUser --operations Decrypt Encrypt --constraints EncryptionContextSubset={Department=IT}";
    let lines =
        |ending: &str| format!("aws kms create-grant {OPTIONS}").replace(" --", &format!("{ending}    --"));
    let in_json = OPTIONS.replace("Decrypt Encrypt", r#"\"Decrypt\" 'Encrypt'"#);
    let quoted = "aws kms create-grant --key-id='1234abcd' --grantee-principal \"arn:aws:iam::111122223333:user/exampleUser\" --operations \"Decrypt\" 'Encrypt' --constraints \"EncryptionContextSubset={Department='IT'}\"";
    let json = r#"aws kms create-grant --key-id $'1234abcd' --grantee-principal arn:aws:iam::111122223333:user/"example"User --operations '["Decrypt", "Encrypt"]' --constraints '{"EncryptionContextSubset": {"Department": "IT"}}'"#;
    let escaped = r#"aws kms create-grant --key-id 1234\abcd --grantee-principal arn:aws:iam::111122223333:user/exampleUser --operations "[\"Decrypt\", \"Encrypt\"]" --constraints "{\"EncryptionContextSubset\": {\"Department\": \"IT\"}}""#;
    let input = r#"aws kms create-grant --cli-input-json '{"KeyId": "1234abcd", "Operations": ["Decrypt", "Encrypt"], "GranteePrincipal": "x", "Constraints": {"EncryptionContextSubset": {"Department": "IT"}}}' --grantee-principal arn:aws:iam::111122223333:user/exampleUser"#;
    for text in [
        format!("aws kms create-grant {OPTIONS}"),
        lines(" \\\n"),
        lines(" \\\r\n"),
        lines(" \\  \n"),
        lines(" \\ "),
        lines(" `\n"),
        lines(" `\r\n"),
        lines(" ^\r\n"),
        lines("\\\n"),
        quoted.to_owned(),
        json.to_owned(),
        escaped.to_owned(),
        input.to_owned(),
        format!(
            "$ token=$(aws kms create-grant {OPTIONS} --query GrantToken --output text)\nnext --key-id y"
        ),
        format!("token=\"$(aws kms create-grant {OPTIONS})\""),
        format!("token=`aws kms create-grant {OPTIONS}`"),
        format!("if aws --profile aws --no-cli-pager kms --output text create-grant {OPTIONS}; then x"),
        format!("aws.exe kms create-grant {OPTIONS} > out.json 2>&1 && next"),
        format!("aws kms create-grant > out 2>/dev/null {OPTIONS}|jq ."),
        format!("aws kms create-grant {OPTIONS} # --key-id no"),
        format!("bash -c 'aws kms create-grant {OPTIONS}'"),
        format!("run: \"aws kms create-grant {OPTIONS}\"\n"),
        format!("{{\"scripts\": {{\"grant\": \"aws kms create-grant {in_json}\", \"x\": 1}}}}"),
        format!("- aws kms create-grant {OPTIONS}\n- next"),
        format!("Use `aws kms create-grant {OPTIONS}` for it, don't `ask`."),
        format!("Here's how (`aws kms create-grant {OPTIONS}`)."),
        format!("\t@aws kms create-grant {OPTIONS}\n"),
        format!("subprocess.run(\"aws kms create-grant {OPTIONS}\", shell=True)"),
        format!("RUN apk add aws-cli && /usr/bin/aws kms create-grant {OPTIONS}\n"),
        format!("<pre>aws kms create-grant {OPTIONS}</pre>"),
        format!("\u{e4}\u{1F511} \u{4e2d}: aws kms create-grant {OPTIONS}\n"),
        format!("> $ {}", lines(" \\\n> ")),
    ] {
        assert_eq!(sorted(&request(&text)), EXPECTED, "{text}");
    }
}

#[test]
fn places_are_those_of_the_file() {
    let text = "x\naws --region us-west-2 kms create-grant --key-id \"a\"b --constraints 'EncryptionContextEquals={A=b}' # c";
    let [command] = &commands(text)[..] else { panic!("not one command") };
    let written = |at: Span| text.get(at.range()).unwrap();
    assert_eq!(written(command.at), "aws --region us-west-2 kms create-grant");
    assert!(written(command.request.at).starts_with("aws --region"));
    assert!(written(command.request.at).ends_with("={A=b}'"));
    let ValueKind::Object(members) = &command.request.kind else { panic!("no object") };
    let places: Vec<_> = members.iter().map(|(key, value)| (written(key.at), written(value.at))).collect();
    assert_eq!(
        places,
        [
            ("--region", "us-west-2"),
            ("--key-id", "\"a\"b"),
            ("--constraints", "'EncryptionContextEquals={A=b}'"),
        ]
    );
    let inner = command.request.get("Constraints").and_then(|value| value.get("EncryptionContextEquals"));
    assert_eq!(inner.map(|value| written(value.at)), Some("{A=b}"));
    let value = inner.and_then(|value| value.get("A"));
    assert_eq!(value.map(|value| written(value.at)), Some("b"));
}

#[test]
fn what_is_not_known_is_a_hole() {
    for (written, expected) in [
        ("--key-id $KEY", "KeyId=${KEY}"),
        ("--key-id \"${KEY:-alias/x}\"", "KeyId=${KEY}"),
        ("--key-id arn:aws:kms:$REGION:${ACCOUNT}:key/x", "KeyId=arn:aws:kms:${REGION}:${ACCOUNT}:key/x"),
        ("--key-id \"$(get key \"x\")\"", "KeyId=${get key 'x'}"),
        ("--key-id `get key`", "KeyId=${get key}"),
        ("--key-id $$KEY", "KeyId=${KEY}"),
        ("--key-id $(KEY)", "KeyId=${KEY}"),
        ("--key-id '$(KEY)'", "KeyId=${KEY}"),
        ("--key-id '$KEY'", "KeyId=$KEY"),
        ("--key-id $env:KEY", "KeyId=${env:KEY}"),
        ("--key-id ${{ secrets.KEY }}", "KeyId=${secrets.KEY}"),
        ("--key-id {{ kms_key }}", "KeyId=${kms_key}"),
        ("--key-id \"{{ kms_key }}\"", "KeyId=${kms_key}"),
        ("--key-id <key-id>", "KeyId=${key-id}"),
        ("--key-id \"<your key id>\"", "KeyId=${your key id}"),
        ("--key-id %KEY%", "KeyId=${KEY}"),
        ("--key-id $1", "KeyId=${1}"),
        ("--key-id ${aws_kms_key.a.arn}", "KeyId=${aws_kms_key.a.arn}"),
        ("--key-id (Get-Key).Id", "KeyId=${Get-Key}.Id"),
        ("--key-id --name x", "KeyId=?\nName=x"),
        ("--operations $OPERATIONS", "Operations=*OPERATIONS"),
        ("--operations \"${OPERATIONS[@]}\"", "Operations=*OPERATIONS"),
        ("--operations Decrypt \"$OPERATION\"", "Operations=Decrypt ${OPERATION}"),
        ("--operations Decrypt,Encrypt", "Operations=Decrypt,Encrypt"),
        ("--operations [Decrypt]", "Operations=?[Decrypt]"),
        ("--operations file://operations.json", "Operations=?file://operations.json"),
        ("--constraints $C", "Constraints=?C"),
        ("--constraints EncryptionContextEquals=$C", "Constraints={EncryptionContextEquals: ?C}"),
        (
            "--constraints EncryptionContextEquals={Team=$T}",
            "Constraints={EncryptionContextEquals: {Team: ${T}}}",
        ),
        ("--constraints EncryptionContextEquals", "Constraints=?EncryptionContextEquals"),
        ("--constraints '{\"EncryptionContextEquals\": '$C'}'", "Constraints={EncryptionContextEquals: ?C}"),
        ("--constraints '{\"EncryptionContextEquals\"'", "Constraints=?('EncryptionContextEquals'"),
        ("--grant-tokens a b --no-dry-run", "GrantTokens=a b\nDryRun=false"),
        ("--name a --name b --no-dry-run", "Name=b\nDryRun=false"),
        ("--name \"\" --region x", "Name=\nRegion=x"),
        ("--name my\\ grant", "Name=my grant"),
        ("--name 'a", "Name=?"),
        ("--name a --endpoint-url http://localhost:4566", "Name=a"),
    ] {
        let text = format!("aws kms create-grant {written}\nnext --name no\n");
        assert_eq!(request(&text).trim_end_matches('\n'), expected, "{text}");
    }
}

#[test]
fn options_that_are_not_known_may_give_anything() {
    const OTHERS: &str = "KeyId GranteePrincipal Operations RetiringPrincipal Constraints";
    for (written, name) in [
        ("\"${args[@]}\" --name x", "args"),
        ("--name x $ARGS", "ARGS"),
        ("--name x \"$@\"", "@"),
        ("--name x @options", "options"),
        ("--name x ...", "... 30"),
        ("--cli-input-json file://grant.json --name x", "file://grant.json"),
        ("--cli-input-json \"$INPUT\" --name x", "INPUT"),
        ("--cli-input-yaml file://grant.yaml --name x", "file://grant.yaml"),
    ] {
        let mut expected = vec!["Name=x".to_owned()];
        expected.extend(OTHERS.split(' ').map(|member| format!("{member}=?{member} of {name}")));
        assert_eq!(
            request(&format!("aws kms create-grant {written}\n")).lines().collect::<Vec<_>>(),
            expected
        );
    }
}

#[test]
fn strings_of_programs_may_go_on() {
    let text = "os.system(\"aws kms create-grant --name x --key-id \" + key)\n";
    assert!(
        request(text).starts_with("Name=x\nKeyId=?\nGranteePrincipal=?GranteePrincipal of rest\n"),
        "{}",
        request(text)
    );
    let text = "os.system('aws kms create-grant --name x '\n    '--key-id y')\n";
    assert!(request(text).starts_with("Name=x\nKeyId=?KeyId of rest\n"), "{}", request(text));
    let text = "run(f\"aws kms create-grant --key-id {key.id} --name {{x}}\")";
    assert_eq!(request(text), "KeyId=${key.id}\nName={x}\n");
    let text = "command = \"aws kms create-grant --key-id ${key[\"a\"].arn} --name \\\"x\\\"\"\nb = {}\n";
    assert_eq!(request(text), "KeyId=${key['a'].arn}\nName=x\n");
    let text = "run(`aws kms create-grant --key-id ${key.id} --name x`)";
    assert_eq!(request(text), "KeyId=${key.id}\nName=x\n");
    let text = "run(\"aws kms create-grant --key-id {}\".format(key))";
    assert!(request(text).starts_with("KeyId=?"), "{}", request(text));
    let text = "exec.Command(fmt.Sprintf(\"aws kms create-grant --key-id %s\", key))";
    assert_eq!(request(text), "KeyId=${%s 56}\n");
    let text = "cmd = '''aws kms create-grant --key-id x'''\n";
    assert_eq!(request(text), "KeyId=x\n");
    let text = "bash -c 'aws kms create-grant --name x --key-id '\"$KEY\"''\n";
    assert!(request(text).starts_with("Name=x\nKeyId=?\n"), "{}", request(text));
}

#[test]
fn documentation() {
    let text = "# Grants\n\nRun aws kms create-grant with --operations, or `aws kms create-grant`.\n\n```sh\n# Create a grant with aws kms create-grant --name no\n$ aws kms create-grant \\\n> --name a\n# aws kms create-grant --name b\n```\n\n    aws kms create-grant --name c\n\n``create-grant``, ``aws kms create-grant --name d``, it's\n<!-- aws kms create-grant --name no -->\n";
    assert_eq!(requests(text), ["Name=a\n", "Name=b\n", "Name=c\n", "Name=d\n"]);
    assert_eq!(
        requests("The create-grant command. aws kms create-grant help\naws kms create-grant <options>\n")
            .len(),
        0
    );
    assert_eq!(requests("aws kms create-grant --generate-cli-skeleton").len(), 0);
    assert_eq!(requests("aws kms create-grant --key-id k --dry-run").len(), 0);
}

#[test]
fn makefile() {
    let text = "KEY := x\ngrant:\n\t-aws kms create-grant --key-id $(KEY) \\\n\t\t--name $$NAME --operations $(OPS)\n#\taws kms create-grant --name no\n";
    assert_eq!(request(text), "KeyId=${KEY}\nName=${NAME}\nOperations=*OPS\n");
}

#[test]
fn pipelines() {
    let text = "steps:\n  - name: grant\n    run: >-\n      aws kms create-grant\n      --key-id ${{ secrets.KEY }}\n        --name a\n    env:\n      --name: no\n  - run: |\n      aws kms create-grant --name b\n      --name no\n  - run: \"aws kms create-grant --constraints '{\\\"EncryptionContextEquals\\\": {\\\"A\\\": \\\"b\\\"}}' --name c\"\nscript:\n  - aws kms create-grant\n    --name d\n  - >\n    aws\n    kms create-grant\n    --name e\n\n    --name no\n  - 'aws kms create-grant --name ''f g'''\n  # - aws kms create-grant --name no\n  - next # aws kms create-grant --name no\n";
    assert_eq!(
        requests(text),
        [
            "KeyId=${secrets.KEY}\nName=a\n",
            "Name=b\n",
            "Constraints={EncryptionContextEquals: {A: b}}\nName=c\n",
            "Name=d\n",
            "Name=e\n",
            "Name=f g\n",
        ]
    );
}

#[test]
fn scripts() {
    let text = "#!/bin/bash\n# aws kms create-grant --name no\n  // aws kms create-grant --name no\nREM aws kms create-grant --name no\n@rem aws kms create-grant --name no\ncat <<EOF\naws kms create-grant --name \"$a\"\nEOF\necho \"don't\"; aws kms create-grant --name b; aws kms create-grant --name c & x\r\naws kms create-grant --cli-input-json '{\r\n  \"Name\": \"d\"\r\n}'\r\nmyaws kms create-grant --name no\naws kms list-grants --name create-grant\naws kms create-grant --name create-grant\n";
    assert_eq!(requests(text), ["Name=${a}\n", "Name=b\n", "Name=c\n", "Name=d\n", "Name=create-grant\n"]);
}

#[test]
fn no_text_is_too_odd() {
    let samples = [
        "run: \"aws --region x kms create-grant --key-id \\\"a\\\\nb\\u00e4\\\" --name ${a:-b} $(c 'd') `e` $'f\\n' <g> %h%\"+x",
        "a: >-\n  aws kms create-grant\n   --name \u{e4}\u{1F511}'x y'\"z\\\"\" --constraints 'A={b=\"c\\\"d\",e=[f,g]},h={i={j=k}}' \\ \n --operations '[\"a\"]' > x 2>&1 <<EOF\n\n",
        "f'aws kms create-grant --cli-input-json {{\"KeyId\": \"{key}\"}} --name {x' 'y'",
        "`aws kms create-grant --key-id $$(a) ${{ b }} {{ c }} #{d} <%= e %> ... @f (g) \\` \"${h[@]}\"` x",
    ];
    for sample in samples {
        for (end, character) in sample.char_indices() {
            let (before, after) = sample.split_at(end);
            commands(before);
            commands(after);
            // With what may open something that has no end, and with each character left out.
            for odd in [
                "'",
                "\"",
                "`",
                "$",
                "${",
                "$(",
                "(",
                "{{",
                "<",
                "\\",
                "\n",
                "\r\n",
                "\u{e4}",
                "aws kms create-grant --name ",
            ] {
                commands(&format!("{before}{odd}{after}"));
            }
            commands(&format!("{}{}", before, after.strip_prefix(character).unwrap()));
        }
    }
}

#[test]
fn many_commands_take_no_longer_each() {
    for piece in [
        "aws kms create-grant --name ${ ",
        "aws kms create-grant --name '",
        "\"aws kms create-grant --name $(",
        "aws kms create-grant --constraints {A={",
        "create-grant ",
        "aws ",
        "- >\n aws kms create-grant\n\n",
        "aws kms create-grant --name x\\\n",
    ] {
        let text = piece.repeat(5_000);
        let started = std::time::Instant::now();
        let _ = grant_commands(&text);
        assert!(started.elapsed().as_secs() < 20, "{piece:?} took {:?}", started.elapsed());
    }
}
