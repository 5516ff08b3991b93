//! Conversion: which parameters of a message a destination is shown, and under which names.
//!
//! In this order: `fields` and `drop` choose by the names that the message has; `rename` gives a
//! name as it stands there; `dots` replaces the dots of all other names; `set` adds parameters,
//! last. Of several that end with the same name the last counts.
//!
//! `ident` and `timestamp` are parameters like all others: `fields` without them leaves them out.
//! Filters and templates (topics, paths, a unit's id) see the message before it is converted.

use crate::message::Value;
use crate::message::ValueRef;
use crate::pattern::Pattern;

/// What `convert` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Convert {
    /// Only these are kept; none: all.
    pub fields: Option<Vec<Pattern>>,
    /// These are left out, even where `fields` keeps them.
    pub drop: Vec<Pattern>,
    /// Old name and new name; each old name once.
    pub rename: Vec<(String, String)>,
    /// Added to each message; each name once.
    pub set: Vec<(String, Value)>,
    /// Stands where names have a dot; none: they keep it.
    pub dots: Option<String>,
}

impl Convert {
    /// The parameters that are shown of a message, in their order. Names with other dots are
    /// built in `names`, which is cleared before: once that has grown, nothing is allocated.
    pub fn apply<'a, F>(&'a self, fields: F, names: &'a mut String) -> Converted<'a, F>
    where
        F: Iterator<Item = Field<'a>> + Clone,
    {
        names.clear();
        let mut is_ambiguous = false;
        if let Some(dot) = &self.dots {
            let first = dot.chars().next();
            for (name, _) in fields.clone().filter(|(name, _)| self.is_dotted(name)) {
                // where two names that become one differ first, one has a dot, the other this
                is_ambiguous |= first.is_none_or(|first| name.contains(first));
                if name.contains('.') {
                    append(name, dot, names);
                }
            }
        }
        Converted {
            convert: self,
            fields,
            names,
            set: self.set.iter(),
            is_ambiguous,
        }
    }

    /// Whether every message stays as it is.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn keeps(&self, name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(name));
        self.fields.as_deref().is_none_or(any) && !any(&self.drop)
    }

    fn renamed(&self, name: &str) -> Option<&str> {
        let found = self.rename.iter().find(|(old, _)| old == name);
        found.map(|(_, new)| new.as_str())
    }

    /// Whether `dots` decides what becomes of a name.
    fn is_dotted(&self, name: &str) -> bool {
        self.keeps(name) && self.renamed(name).is_none()
    }
}

/// A parameter: its name and its value.
pub type Field<'a> = (&'a str, ValueRef<'a>);

/// The parameters of a message as a destination is shown them.
#[derive(Clone, Debug)]
pub struct Converted<'a, F> {
    convert: &'a Convert,
    fields: F,
    /// Names with other dots, end to end, of those that are still to come.
    names: &'a str,
    set: std::slice::Iter<'a, (String, Value)>,
    /// Whether a name without a dot may be what another one became.
    is_ambiguous: bool,
}

impl<'a, F: Iterator<Item = Field<'a>> + Clone> Iterator for Converted<'a, F> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let (name, value) = self.any()?;
            if !self.comes_again(name) {
                return Some((name, value));
            }
        }
    }
}

impl<'a, F: Iterator<Item = Field<'a>> + Clone> Converted<'a, F> {
    /// The next, whether or not its name comes again.
    fn any(&mut self) -> Option<Field<'a>> {
        let convert = self.convert;
        if let Some((name, value)) = self.fields.find(|(name, _)| convert.keeps(name)) {
            let shown = match convert.renamed(name) {
                Some(new) => new,
                None => self.dotted(name),
            };
            return Some((shown, value));
        }
        let (name, value) = self.set.next()?;
        Some((name, value.as_ref()))
    }

    /// The name with other dots: the first of those that were built.
    fn dotted(&mut self, name: &'a str) -> &'a str {
        let Some(dot) = self.convert.dots.as_ref().filter(|_| name.contains('.')) else {
            return name;
        };
        let count = name.matches('.').count();
        let len = name.len() - count + count * dot.len();
        let (shown, rest) = self.names.split_at_checked(len).unwrap_or((name, ""));
        self.names = rest;
        shown
    }

    /// Whether one that is still to come has this name. Looks only where that can be.
    fn comes_again(&self, name: &str) -> bool {
        let is_set = || self.set.clone().any(|(known, _)| known == name);
        let is_new = || self.convert.rename.iter().any(|(_, new)| new == name);
        if !self.is_ambiguous && !is_new() {
            return is_set();
        }
        let mut rest = self.clone();
        std::iter::from_fn(|| rest.any()).any(|(later, _)| later == name)
    }
}

/// Appends a name with `dot` for its dots.
fn append(name: &str, dot: &str, names: &mut String) {
    for (place, piece) in name.split('.').enumerate() {
        if place > 0 {
            names.push_str(dot);
        }
        names.push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: [Field<'static>; 6] = [
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

    fn names(texts: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = texts.iter();
        pairs
            .map(|(old, new)| ((*old).into(), (*new).into()))
            .collect()
    }

    /// The parameters as `name=value`.
    fn shown(convert: &Convert, fields: &[Field<'_>]) -> Vec<String> {
        let mut scratch = String::from("of the message before");
        let fields: Vec<_> = fields.to_vec();
        let converted = convert.apply(fields.iter().copied(), &mut scratch);
        converted
            .map(|(name, value)| match value {
                ValueRef::U64(number) => format!("{name}={number}"),
                _ => name.to_owned(),
            })
            .collect()
    }

    #[test]
    fn nothing_said_changes_nothing() {
        let convert = Convert::default();
        assert!(convert.is_nothing());
        let mut scratch = String::new();
        let fields = convert.apply(MESSAGE.iter().copied(), &mut scratch);
        assert_eq!(fields.collect::<Vec<_>>(), MESSAGE);
    }

    #[test]
    fn nothing_is_allocated_once_the_names_have_their_room() {
        let convert = Convert {
            dots: Some("_".into()),
            rename: names(&[("note", "din_1")]),
            fields: Some(patterns(&["*"])),
            set: vec![("site".into(), Value::from("north"))],
            ..Convert::default()
        };
        let mut scratch = String::with_capacity(256);
        let counted = allocation_counter::measure(|| {
            let shown = convert.apply(MESSAGE.iter().copied(), &mut scratch);
            assert_eq!(shown.count(), 6);
        });
        assert_eq!(counted.count_total, 0, "{counted:?}");
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
            rename: names(&[("position.speed", "v.kmh")]),
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
            rename: names(&[("e", "f"), ("f", "e"), ("nobody", "g")]),
            set: vec![("g".into(), Value::U64(8))],
            ..Convert::default()
        };
        assert_eq!(
            shown(&convert, &fields),
            ["a_b=2", "c_d=4", "f=5", "e=6", "g=8"]
        );
        let onto = Convert {
            rename: names(&[("a.b", "g"), ("e", "f")]),
            ..Convert::default()
        };
        assert_eq!(
            shown(&onto, &fields),
            ["a_b=2", "c_d=3", "c.d=4", "f=6", "g=7"]
        );
    }

    /// The definition itself: all names first, then those that do not come again.
    fn naive(convert: &Convert, fields: &[Field<'_>]) -> Vec<String> {
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

    #[test]
    fn names_agree_with_their_definition() {
        let pool = [
            "a", "a.b", "a_b", "a_.b", "a._b", "ab", "a__b", "_", ".", "b", "*b", "a*",
        ];
        let mut random = 5_u64;
        let mut next = |below: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(random >> 33).unwrap() % below
        };
        for _ in 0..20_000 {
            // each name once, as in a message
            let mut pick = |most: usize| {
                let mut names = Vec::new();
                for _ in 0..next(most + 1) {
                    let name = pool[next(pool.len())];
                    names.retain(|known| *known != name);
                    names.push(name);
                }
                names
            };
            let (fields, rename, new, set) = (pick(6), pick(2), pick(3), pick(2));
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
                dots: [None, Some("_"), Some("__"), Some("")][next(4)].map(str::to_owned),
            };
            let fields: Vec<_> = fields.iter().map(|name| (*name, ValueRef::Null)).collect();
            assert_eq!(
                shown(&convert, &fields),
                naive(&convert, &fields),
                "{convert:?} {fields:?}"
            );
        }
    }
}
