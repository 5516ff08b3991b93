//! What is shown, as the iterators of [`super::oracle`] show it and as its definition says.

use super::*;
use crate::message::ValueRef;
use crate::message::json_write;
use crate::message::names;

const MESSAGE: [(&str, ValueRef<'static>); 6] = [
    ("ident", ValueRef::Text("352")),
    ("timestamp", ValueRef::U64(1_554_445_625)),
    ("position.latitude", ValueRef::F64(54.5)),
    ("position.speed", ValueRef::U64(60)),
    ("din.1", ValueRef::Bool(true)),
    ("note", ValueRef::Null),
];

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text)).collect()
}

fn renames(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = texts.iter();
    pairs
        .map(|(old, new)| ((*old).into(), (*new).into()))
        .collect()
}

/// Takes the parameters of a message through a plan.
fn pass<'v>(
    plan: Option<&'v Plan<'v>>,
    fields: &[(&'v str, ValueRef<'v>)],
    sink: &mut impl Sink<'v>,
) -> Result<(), Collision> {
    let mut pass = Pass::new(plan);
    for (name, value) in fields {
        match names::index(name) {
            Some(index) => pass.known(index, *value, sink)?,
            None if *name == SERVER => pass.server(*value, sink)?,
            None => pass.other(name, *value, sink)?,
        }
    }
    Ok(())
}

/// The parameters as they are shown with a stamp behind, once the iterators and JSON agree.
fn converted(
    convert: &Convert,
    stamp: Option<&str>,
    fields: &[(&str, ValueRef<'_>)],
) -> Vec<(String, Option<u64>)> {
    let plan = Plan::new(convert, stamp);
    let (mut list, mut json) = (List::default(), Vec::new());
    if pass(plan.as_ref(), fields, &mut list).is_err() {
        list = List::default();
        pass(None, fields, &mut list).unwrap();
        list = list.last_of_each(plan.as_ref().unwrap());
        pass(plan.as_ref(), fields, &mut Json(&mut json)).unwrap_err();
        json.clear();
        list.0
            .iter()
            .for_each(|(name, value)| json_write::field(name, *value, &mut json));
    } else {
        pass(plan.as_ref(), fields, &mut Json(&mut json)).unwrap();
    }
    json.extend(plan.iter().flat_map(|plan| plan.set_json().to_vec()));
    json_write::close(0, &mut json);
    let shown = list.0.iter().map(|(name, value)| (&**name, *value));
    let shown: Vec<_> = shown.chain(plan.iter().flat_map(Plan::set)).collect();

    let mut scratch = String::from("of the message before");
    let oracle = convert.apply(fields.iter().copied(), &mut scratch);
    let oracle: Vec<_> = oracle.filter(|(name, _)| Some(*name) != stamp).collect();
    assert_eq!(shown, oracle, "{convert:?} {fields:?}");
    let mut judge = Vec::new();
    json_write::write(oracle.into_iter(), &mut judge);
    let text = |json| String::from_utf8(json).unwrap();
    assert_eq!(text(json), text(judge), "{convert:?} {fields:?}");
    let count = |value| match value {
        ValueRef::U64(count) => Some(count),
        _ => None,
    };
    let shown = shown.into_iter();
    shown
        .map(|(name, value)| (name.to_owned(), count(value)))
        .collect()
}

/// The parameters as `name`, or `name=value` where that is a count.
fn shown(convert: &Convert, fields: &[(&str, ValueRef<'_>)]) -> Vec<String> {
    let shown = converted(convert, None, fields).into_iter();
    shown
        .map(|(name, count)| count.map_or(name.clone(), |count| format!("{name}={count}")))
        .collect()
}

#[test]
fn nothing_said_changes_nothing() {
    let convert = Convert::default();
    assert!(convert.is_nothing());
    assert!(Plan::new(&convert, None).is_none());
    converted(&convert, None, &MESSAGE);
}

#[test]
fn nothing_is_allocated_for_a_message() {
    let convert = Convert {
        dots: Some("_".into()),
        rename: renames(&[("note", "din_2")]),
        fields: Some(patterns(&["*"])),
        set: vec![("site".into(), Value::from("north"))],
        ..Convert::default()
    };
    let (plan, mut json) = (Plan::new(&convert, None), Vec::with_capacity(1024));
    let counted = allocation_counter::measure(|| {
        pass(plan.as_ref(), &MESSAGE, &mut Json(&mut json)).unwrap();
        pass(
            plan.as_ref(),
            &[("a.b", ValueRef::Null)],
            &mut Json(&mut json),
        )
        .unwrap();
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
    assert!(json.ends_with(b",\"a_b\":null"));
}

#[test]
fn only_fields_are_kept_and_of_them_not_what_is_dropped() {
    let mut convert = Convert {
        fields: Some(patterns(&["position.*", "note"])),
        ..Convert::default()
    };
    let kept = ["position.latitude", "position.speed=60", "note"];
    assert_eq!(shown(&convert, &MESSAGE), kept);
    convert.drop = patterns(&["*.latitude"]);
    assert_eq!(shown(&convert, &MESSAGE), ["position.speed=60", "note"]);
    convert.fields = Some(vec![]);
    assert_eq!(shown(&convert, &MESSAGE), [""; 0]);
}

#[test]
fn dots_are_replaced_but_not_in_names_that_were_given() {
    let mut convert = Convert {
        dots: Some("__".into()),
        rename: renames(&[("position.speed", "v.kmh")]),
        set: vec![("gateway.name".into(), Value::U64(7))],
        drop: patterns(&["note"]),
        ..Convert::default()
    };
    let expected = [
        "ident",
        "timestamp=1554445625",
        "position__latitude",
        "v.kmh=60",
        "din__1",
        "gateway.name=7",
    ];
    assert_eq!(shown(&convert, &MESSAGE), expected);
    convert.dots = Some(String::new());
    assert_eq!(shown(&convert, &MESSAGE)[4], "din1");
}

#[test]
fn of_one_name_the_last_counts() {
    let fields = [
        ("a.b", ValueRef::U64(1)),
        ("a_b", ValueRef::U64(2)),
        ("c_d", ValueRef::U64(3)),
        ("c.d", ValueRef::U64(4)),
        ("e", ValueRef::U64(5)),
        ("f", ValueRef::U64(6)),
        ("g", ValueRef::U64(7)),
    ];
    let convert = Convert {
        dots: Some("_".into()),
        rename: renames(&[("e", "f"), ("f", "e"), ("nobody", "g")]),
        set: vec![("g".into(), Value::U64(8))],
        ..Convert::default()
    };
    assert_eq!(
        shown(&convert, &fields),
        ["a_b=2", "c_d=4", "f=5", "e=6", "g=8"]
    );
    let onto = Convert {
        rename: renames(&[("a.b", "g"), ("e", "f")]),
        ..Convert::default()
    };
    assert_eq!(
        shown(&onto, &fields),
        ["a_b=2", "c_d=3", "c.d=4", "f=6", "g=7"]
    );
}

/// The definition itself: all names first, then those that do not come again.
fn naive(convert: &Convert, fields: &[(&str, ValueRef<'_>)]) -> Vec<String> {
    let any = |patterns: &[Pattern], name: &str| patterns.iter().any(|p| p.matches(name));
    let kept = fields.iter().map(|(name, _)| *name).filter(|name| {
        let is_field = convert.fields.as_ref().is_none_or(|list| any(list, name));
        is_field && !any(&convert.drop, name)
    });
    let new = kept.map(
        |name| match convert.rename.iter().find(|(old, _)| old == name) {
            Some((_, new)) => new.clone(),
            None => name.replace('.', convert.dots.as_deref().unwrap_or(".")),
        },
    );
    let set = convert.set.iter().map(|(name, _)| name.clone());
    let all: Vec<String> = new.chain(set).collect();
    let last = |(at, name): &(usize, &String)| !all[at + 1..].contains(*name);
    let shown = all.iter().enumerate().filter(last);
    shown.map(|(_, name)| name.clone()).collect()
}

/// Names that become one another in many ways; of the second some are known.
const POOLS: [[&str; 12]; 2] = [
    [
        "a", "a.b", "a_b", "a_.b", "a._b", "ab", "a__b", "_", ".", "b", "*b", "a*",
    ],
    [
        "din",
        "din.1",
        "d.in",
        "di_n",
        "din_1",
        "din1",
        "dine1",
        "ident",
        "timestamp",
        "*.1",
        SERVER,
        "tim*",
    ],
];

#[test]
fn names_agree_with_their_definition() {
    let mut random = 5_u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % below
    };
    for round in 0..40_000 {
        // each name once, as in a message
        let mut pick = |most: usize| {
            let mut names = Vec::new();
            for _ in 0..next(most + 1) {
                let name = POOLS[round % 2][next(12)];
                names.retain(|known| *known != name);
                names.push(name);
            }
            names
        };
        let (fields, rename, new, set) = (pick(6), pick(2), pick(3), pick(2));
        let stamp = pick(1).first().copied().filter(|_| round % 3 == 0);
        let pairs = rename.iter().zip(new);
        let convert = Convert {
            fields: Some(patterns(&pick(9))).filter(|fields| !fields.is_empty()),
            drop: patterns(&pick(1)),
            rename: pairs
                .map(|(old, new)| ((*old).into(), new.into()))
                .collect(),
            set: set
                .iter()
                .map(|name| ((*name).into(), Value::Null))
                .collect(),
            dots: [None, Some("_"), Some("__"), Some(""), Some("e"), Some(".")][next(6)]
                .map(str::to_owned),
        };
        let values = (0..).map(ValueRef::U64);
        let fields: Vec<_> = fields.into_iter().zip(values).collect();
        let shown = converted(&convert, stamp, &fields).into_iter();
        let mut naive = naive(&convert, &fields);
        naive.retain(|name| Some(name.as_str()) != stamp);
        let shown: Vec<_> = shown.map(|(name, _)| name).collect();
        assert_eq!(shown, naive, "{convert:?} {fields:?}");
    }
}

#[test]
fn any_number_of_names_is_converted() {
    for count in [1, 31, 32, 33, 100] {
        let names: Vec<_> = (0..count).map(|at| format!("{at}.a_{at}")).collect();
        let twice = ["0_a.0", "din.1", "din_1"];
        for more in 0..=twice.len() {
            let all = names
                .iter()
                .map(String::as_str)
                .chain(twice.into_iter().take(more));
            let fields: Vec<_> = all.zip((0..).map(ValueRef::U64)).collect();
            let convert = Convert {
                dots: Some("_".into()),
                ..Convert::default()
            };
            assert_eq!(
                shown(&convert, &fields).len(),
                count + more.min(2) - more.min(1),
                "{more}"
            );
        }
    }
}
