//! The examples of the guide, every operator, every mistake, and random
//! expressions there and back.

use proptest::prelude::*;

use super::*;

/// An instance of which everything is known, unless it is not.
#[derive(Debug, Clone, Default)]
struct Host {
    attributes: Vec<(&'static str, &'static str)>,
    version: Option<Vec<u64>>,
    id: Option<&'static str>,
    registered: Option<i64>,
    tasks: Option<u64>,
    groups: Option<Vec<&'static str>>,
}

impl Facts for Host {
    fn attribute(&self, name: &str) -> Option<Option<&str>> {
        Some(self.attributes.iter().find(|(n, _)| *n == name).map(|(_, v)| *v))
    }
    fn agent_connected(&self) -> Option<bool> {
        Some(true)
    }
    fn agent_version(&self) -> Option<&[u64]> {
        self.version.as_deref()
    }
    fn ec2_instance_id(&self) -> Option<&str> {
        self.id
    }
    fn registered_at(&self) -> Option<i64> {
        self.registered
    }
    fn running_tasks(&self) -> Option<u64> {
        self.tasks
    }
    fn runs(&self, wanted: &dyn Fn(&str) -> bool) -> Option<bool> {
        Some(self.groups.as_ref()?.iter().any(|g| wanted(g)))
    }
}

fn host(attributes: &[(&'static str, &'static str)]) -> Host {
    Host {
        attributes: attributes.to_vec(),
        version: Some(vec![1, 14, 4]),
        id: Some("i-abcd1234"),
        registered: Some(0),
        tasks: Some(1),
        groups: Some(vec![]),
    }
}

fn parsed(text: &str) -> Expr {
    let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let shown = expr.to_string();
    assert_eq!(parse(&shown).as_ref(), Ok(&expr), "{text} -> {shown}");
    expr
}

fn holds(text: &str, host: &Host) -> bool {
    parsed(text).holds(host).expect("everything is known")
}

/// Every example of the pages on the query language and on constraints of the
/// ECS developer guide (2023-06), with an instance that it selects and one
/// that it does not.
#[test]
fn the_examples_of_the_guide() {
    let typed = |kind, zone| host(&[("ecs.instance-type", kind), ("ecs.availability-zone", zone)]);
    let any = || typed("g2.2xlarge", "us-east-1a");
    let runs = |group| Host { groups: Some(vec!["other", group]), ..any() };
    let tasks = |n| Host { tasks: Some(n), ..any() };
    let version = |v: &[u64]| Host { version: Some(v.to_vec()), ..any() };
    let id = |id| Host { id: Some(id), ..any() };
    let day = |day: i64| Host { registered: Some(day * 86_400_000), ..any() };
    let g2 =
        "attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d";
    let t2 =
        "attribute:ecs.instance-type =~ t2.* and attribute:ecs.availability-zone == us-east-1a";
    for (text, yes, no) in [
        ("attribute:ecs.instance-type == t2.small", typed("t2.small", "a"), any()),
        (
            "attribute:ecs.availability-zone in [us-east-1a, us-east-1b]",
            typed("m5.large", "us-east-1b"),
            typed("m5.large", "us-east-1c"),
        ),
        (g2, any(), typed("g2.2xlarge", "us-east-1d")),
        (g2, any(), typed("g3.2xlarge", "us-east-1a")),
        ("task:group == service:production", runs("service:production"), any()),
        ("not(task:group == database)", any(), runs("database")),
        ("task:group == databases", runs("databases"), any()),
        ("runningTasksCount == 1", tasks(1), tasks(2)),
        ("agentVersion < 1.14.5", version(&[1, 9, 0]), version(&[1, 14, 10])),
        // 2018-02-13 is day 17575.
        ("registeredAt < 2018-02-13", day(17_574), day(17_575)),
        ("ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", id("i-wxyx7890"), id("i-1")),
        ("attribute:ecs.instance-type =~ t2.*", typed("t2.small", "a"), any()),
        ("attribute:ecs.instance-type == g2.2xlarge", any(), typed("t2.small", "a")),
        ("attribute:stack == prod", host(&[("stack", "prod")]), host(&[("stack", "dev")])),
        ("attribute:stack != prod", host(&[("stack", "dev")]), host(&[("stack", "prod")])),
        (
            "attribute:ecs.instance-type in [t2.small, t2.medium]",
            typed("t2.medium", "a"),
            typed("t2.large", "a"),
        ),
        (t2, typed("t2.small", "us-east-1a"), typed("t2.small", "us-east-1b")),
    ] {
        assert!(holds(text, &yes), "{text}: {yes:?}");
        assert!(!holds(text, &no), "{text}: {no:?}");
    }
    // Its compound form with parentheses.
    let grouped = "(attribute:a == 1 or attribute:b == 1) and attribute:c == 1";
    assert!(holds(grouped, &host(&[("b", "1"), ("c", "1")])));
    assert!(!holds(grouped, &host(&[("a", "1")])));
}

/// Every operator by its sign and by its name.
#[test]
fn operators_and_their_other_names() {
    let it = Host { tasks: Some(5), ..host(&[("stack", "prod")]) };
    for (sign, name, argument, want) in [
        ("==", "equals", "prod", true),
        ("!=", "not_equals", "prod", false),
        ("in", "in", "[dev, prod]", true),
        ("!in", "not_in", "[dev, prod]", false),
        ("=~", "matches", "p.*", true),
        ("!~", "not_matches", "p.*", false),
        ("exists", "exists", "", true),
        ("!exists", "not_exists", "", false),
    ] {
        assert_eq!(holds(&format!("attribute:stack {sign} {argument}"), &it), want, "{sign}");
        assert_eq!(holds(&format!("attribute:stack {name} {argument}"), &it), want, "{name}");
        // Without the attribute only what is negated holds.
        let negated = sign.starts_with('!');
        assert_eq!(holds(&format!("attribute:rack {sign} {argument}"), &it), negated, "{sign}");
    }
    for (sign, name, less, same, more) in [
        (">", "greater_than", true, false, false),
        (">=", "greater_than_equal", true, true, false),
        ("<", "less_than", false, false, true),
        ("<=", "less_than_equal", false, true, true),
        ("==", "equals", false, true, false),
        ("!=", "not_equals", true, false, true),
    ] {
        for op in [sign, name] {
            for (count, want) in [(4, less), (5, same), (6, more)] {
                assert_eq!(holds(&format!("runningTasksCount {op} {count}"), &it), want, "{op}");
            }
        }
    }
    // Signs need no blanks.
    assert!(holds("runningTasksCount>=5&&attribute:stack==prod||!(agentConnected==true)", &it));
}

/// not before and before or.
#[test]
fn precedence() {
    let it = host(&[("a", "1")]);
    let (yes, no) = ("attribute:a == 1", "attribute:a == 2");
    assert!(holds(&format!("{yes} or {no} and {no}"), &it));
    assert!(!holds(&format!("({yes} or {no}) and {no}"), &it));
    assert!(holds(&format!("not {no} and {yes}"), &it));
    assert!(!holds(&format!("not ({no} or {yes})"), &it));
    assert!(holds(&format!("! not {yes} || {no}"), &it));
    let [Expr::Is(_), Expr::And(last)] = &match parsed(&format!("{yes} or {no} and not {yes}")) {
        Expr::Or(parts) => parts,
        other => panic!("{other}"),
    }[..] else {
        panic!("two parts")
    };
    assert!(matches!(last[..], [Expr::Is(_), Expr::Not(_)]));
}

#[test]
fn values_by_their_kind() {
    let version = |v: &[u64]| Host { version: Some(v.to_vec()), ..host(&[]) };
    assert!(holds("agentVersion == 1.14", &version(&[1, 14, 0])));
    assert!(holds("agentVersion >= 1.9.9", &version(&[1, 14])));
    assert!(!holds("agentVersion > 1.14.10", &version(&[1, 14, 9])));
    // 2018-06-18T22:28:28Z is 1,529,360,908 s.
    let at = |s: i64| Host { registered: Some(s * 1_000), ..host(&[]) };
    for date in ["2018-06-18T22:28:28+00:00", "2018-06-18T22:28:28Z", "2018-06-18T22:28:28"] {
        assert!(holds(&format!("registeredAt == {date}"), &at(1_529_360_908)), "{date}");
        assert!(!holds(&format!("registeredAt > {date}"), &at(1_529_360_908)), "{date}");
    }
    assert!(holds("registeredAt == 2018-06-18T23:28:28+01:00", &at(1_529_360_908)));
    // Midnight UTC is 80,908 s before.
    assert!(holds("registeredAt >= 2018-06-18", &at(1_529_280_000)));
    assert!(!holds("registeredAt >= 2018-06-18", &at(1_529_279_999)));
    assert!(holds("agentConnected == true", &host(&[])));
    assert!(holds("agentConnected != false", &host(&[])));
    assert!(holds("agentConnected !in ['false']", &host(&[])));
    // Blanks and signs in quotes, and words that join.
    let team = host(&[("team", "a & b"), ("word", "and")]);
    assert!(holds("attribute:team == 'a & b'", &team));
    assert!(holds("attribute:word == 'and' and attribute:team =~ 'a . b'", &team));
}

/// The whole value must match, classes are ASCII, and brackets need no quotes.
#[test]
fn patterns() {
    let kind = |value| host(&[("k", value)]);
    assert!(!holds("attribute:k =~ m5", &kind("m5.large")));
    assert!(!holds("attribute:k =~ large", &kind("m5.large")));
    assert!(holds("attribute:k =~ 'm5|m5.large'", &kind("m5.large")));
    assert!(holds("attribute:k =~ '(m|c)5[ad]?\\.(x?large)'", &kind("c5d.xlarge")));
    assert!(holds("attribute:k =~ [mc]5.*", &kind("c5.large")));
    assert!(holds("attribute:k =~ m5.*|c5.* and attribute:k exists", &kind("c5.large")));
    assert!(holds("attribute:k !~ \\d+", &kind("٣")));
    assert!(holds("attribute:k =~ \\d{1,3}", &kind("123")));
    for (pattern, why) in [
        ("'(?=a)b'", "look-around"),
        ("'(?<!a)b'", "look-around"),
        ("'(a)\\1'", "back-references"),
        ("'(?<n>a)\\k<n>'", "back-references"),
        ("'a*+'", "possessive"),
        ("'(?>a)'", "atomic"),
        ("'\\Qa\\E'", "this escape"),
        ("'(a'", "unclosed group"),
        ("'a)|(b'", "unopened group"),
        ("'a{1000}{1000}'", "size limit"),
        ("'(?x)a #'", "cannot match a whole value"),
    ] {
        let error = parse(&format!("attribute:k =~ {pattern}")).expect_err(pattern);
        assert!(error.message.contains(why), "{pattern}: {error:?}");
        assert_eq!(error.span.start, 15, "{pattern}");
    }
    // These are no such thing.
    assert!(holds("attribute:k =~ '[(?=]+'", &kind("(?=")));
    assert!(holds("attribute:k =~ '\\++'", &kind("++")));
}

/// What is not known leaves the answer open, unless the rest decides.
#[test]
fn unknown_facts_leave_the_answer_open() {
    let it = Host { tasks: None, groups: None, registered: None, id: None, ..host(&[("a", "1")]) };
    let answer = |text: &str| parsed(text).holds(&it);
    assert_eq!(answer("runningTasksCount == 1"), None);
    assert_eq!(answer("not task:group == x"), None);
    assert_eq!(answer("attribute:a == 1 or runningTasksCount == 1"), Some(true));
    assert_eq!(answer("attribute:a == 2 and registeredAt < 2018-01-01"), Some(false));
    assert_eq!(answer("attribute:a == 1 and ec2InstanceId == x"), None);
    let needs = |text: &str| parsed(text).needs();
    assert_eq!(needs("attribute:a == 1 and agentVersion > 1"), Needs::default());
    let wanted = Needs { instance: true, tasks: true };
    assert_eq!(needs("registeredAt > 2020-01-01 or runningTasksCount == 1"), wanted);
}

/// Mistakes: where, what, and what to write.
#[test]
fn mistakes_have_a_place_and_a_remedy() {
    for (text, span, message, help) in [
        ("", 0..0, "an empty expression", "write one"),
        ("attribute:a = 1", 12..13, "expected an operator", "equality is written `==`"),
        ("attribute:a equal 1", 12..17, "expected an operator", "did you mean `equals`?"),
        ("attribute:a", 11..11, "needs an operator", "it takes `==`"),
        ("runningTaskCount == 1", 0..16, "unknown subject", "did you mean `runningTasksCount`?"),
        ("ecs.instance-type == a", 0..17, "unknown subject", "`attribute:ecs.instance-type`?"),
        ("zone == a", 0..4, "unknown subject", "known are"),
        ("attribute:é == 1", 0..12, "not the name of an attribute", "letters"),
        ("attribute:a > 1", 12..13, "does not take `>`", "it takes"),
        ("runningTasksCount =~ 1", 18..20, "does not take `=~`", "`<=`"),
        ("runningTasksCount == many", 21..25, "no number of tasks", "a whole number"),
        ("runningTasksCount == -1", 21..23, "no number of tasks", "a whole number"),
        ("agentVersion < v1.2", 15..19, "no version", "numbers and dots"),
        ("registeredAt < 13.2.2018", 15..24, "no date", "2018-06-18"),
        ("registeredAt < 2018-02-30", 15..25, "no date", "2018-06-18"),
        ("agentConnected == yes", 18..21, "no state", "`true` or `false`"),
        ("attribute:a == ", 12..14, "needs a literal", ""),
        ("attribute:a == and attribute:b == 1", 12..14, "needs a literal", "single quotes"),
        ("attribute:a == \"b\"", 15..16, "expected a literal", "single quotes"),
        ("attribute:a == 'b", 15..17, "a single quote without its other", ""),
        ("attribute:a == ''", 15..17, "an empty literal", ""),
        ("attribute:a == [b]", 15..16, "not a list", "use `in`"),
        ("attribute:a in b", 12..14, "needs a list", "[one, another]"),
        ("attribute:a in [b c]", 18..19, "expected `,` or `]`", ""),
        ("attribute:a in [b, c", 15..16, "`[` without `]`", ""),
        ("attribute:a in []", 15..16, "needs a literal", ""),
        ("(attribute:a == 1", 0..1, "`(` without `)`", ""),
        ("attribute:a == 1)", 16..17, "`)` without `(`", ""),
        ("attribute:a == b(c)", 16..17, "cannot contain parentheses", "single quotes"),
        ("attribute:a == 1 AND attribute:b == 1", 17..20, "expected `and`, `or`", "write `and`"),
        ("attribute:a == 1 and", 20..20, "expected what to compare", ""),
        ("or attribute:a == 1", 0..1, "expected a comparison", ""),
        ("not", 3..3, "expected what to compare", ""),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.help.as_deref().unwrap_or_default().contains(help), "{text}: {error:?}");
        assert_eq!(error.span, span, "{text}: {error:?}");
    }
    let deep = "(".repeat(100_000);
    assert!(parse(&deep).expect_err("deep").message.contains("nested"));
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._/:\\\\-]{1,12}"
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.:@/-]{1,8}",
        "[ -&(-~é]{1,8}",
        Just("and".to_owned()),
        Just("a||b".to_owned()),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let subject = prop_oneof![
        name().prop_map(Subject::Attribute),
        Just(Subject::AgentVersion),
        Just(Subject::Ec2InstanceId),
        Just(Subject::RegisteredAt),
        Just(Subject::RunningTasksCount),
        Just(Subject::TaskGroup),
        Just(Subject::AgentConnected),
    ];
    let values = (
        literal(),
        proptest::collection::vec(literal(), 1..4),
        "[a-z.*|\\[\\]]{1,6}",
        proptest::collection::vec(any::<u64>(), 1..4),
        -60_000_000_000_000i64..250_000_000_000_000,
        any::<[u8; 2]>(),
    );
    (subject, values).prop_map(|(subject, (text, list, pattern, version, time, pick))| {
        let ops = subject.operators();
        let op = ops[usize::from(pick[0]) % ops.len()];
        let connected = subject == Subject::AgentConnected;
        let (text, list) =
            if connected { ("true".to_owned(), vec!["false".to_owned()]) } else { (text, list) };
        let argument = match (&subject, op) {
            (_, Op::Exists | Op::NotExists) => Argument::Nothing,
            (_, Op::In | Op::NotIn) => Argument::List(list),
            (_, Op::Matches | Op::NotMatches) => Argument::Pattern(
                Pattern::new(&pattern).or_else(|_| Pattern::new("a.*")).expect("fine"),
            ),
            (Subject::AgentVersion, _) => Argument::Version(version),
            (Subject::RegisteredAt, _) => Argument::Time(time),
            (Subject::RunningTasksCount, _) => Argument::Count(u64::from(pick[1])),
            _ => Argument::Text(text),
        };
        Predicate { subject, op, argument }
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    predicate().prop_map(Expr::Is).prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|e| Expr::Not(Box::new(e))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_as_it_was(expr in expr()) {
        let text = expr.to_string();
        prop_assert_eq!(parse(&text), Ok(expr), "{}", text);
    }

    /// Any text is an expression or a mistake within it.
    #[test]
    fn no_text_breaks_the_parser(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn no_words_break_the_parser(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "and", "or", "not", "!", "(", ")", "[", "]", ",", "'", "\"", "==", "=~", "in", "!in",
            "exists", "attribute:a", "task:group", "agentVersion", "1.2", "x*", "&&", "||", " ", "é",
            "(?=", "\\", "registeredAt", "<", "2018-01-01",
        ]),
        0..20,
    ), blanks in any::<bool>()) {
        check(&words.join(if blanks { " " } else { "" }))?;
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(expr) => prop_assert_eq!(parse(&expr.to_string()), Ok(expr)),
        Err(error) => {
            prop_assert!(error.span.start <= error.span.end && error.span.end <= text.len());
            prop_assert!(text.get(error.span).is_some());
        }
    }
    Ok(())
}
