//! The whole program with several seeds, and a check that would notice.

use crate::trouble::Trouble;
use crate::{Options, check, parse, run, story};

#[test]
fn the_program_proves_that_no_order_is_lost_or_charged_twice() {
    let mut out = Vec::new();
    run(Options { orders: 200, seed: 3 }, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for expected in ["200 orders, seed 3", "payment           200     200", "No order was lost"] {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
}

#[test]
fn the_check_notices_what_is_lost_or_done_twice() {
    let mut outcome = story::play(300, 5).unwrap();
    assert_eq!(check::faults(&outcome, 300), [""; 0]);
    assert_eq!(check::unproved(&outcome), [""; 0]);

    assert_eq!(check::faults(&outcome, 301).len(), 4, "order 301 is lost");
    outcome.ledger.enter("shipping", 7);
    assert_eq!(check::faults(&outcome, 300), ["order 7: shipping was done 2 times, not once"]);
    outcome.ledger.charge(9, 100);
    let faults = check::faults(&outcome, 300);
    assert!(faults.contains(&"order 9: payment was done 2 times, not once".to_owned()), "{faults:?}");
    assert_eq!(faults.len(), 3, "the sum is wrong as well");
    outcome.parts[1].unfinished = 1;
    outcome.parts.pop();
    assert_eq!(check::faults(&outcome, 300).len(), 5);
}

#[test]
fn trouble_follows_from_the_seed_and_comes_in_all_kinds() {
    let kinds = |seed| -> Vec<_> { (0..400).map(|order| Trouble::of(seed, 1, order, (0, 1))).collect() };
    assert_eq!(kinds(1), kinds(1));
    assert_ne!(kinds(1), kinds(2));
    for kind in [Trouble::None, Trouble::Before, Trouble::After, Trouble::Panic, Trouble::Hang] {
        assert!(kinds(1).contains(&kind), "{kind:?}");
    }
}

#[test]
fn arguments_are_read_and_refused() {
    let parse = |line: &str| parse(line.split_whitespace().map(Into::into));
    assert_eq!(parse("").unwrap(), Options { orders: 500, seed: 1 });
    assert_eq!(parse("--orders 7 --seed 8").unwrap(), Options { orders: 7, seed: 8 });
    for wrong in ["--orders 0", "--orders x", "--orders 100001", "--seed", "file"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
