//! UserSigs issued and verified on one core: `make bench`.

use divan::Bencher;
use hongyan_shared::sig::{Expectation, Key, Keys, issue, verify};

const NOW: u64 = 1_795_400_000;

fn main() {
    divan::main();
}

fn key() -> Key {
    Key::parse("5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e").unwrap()
}

fn expected() -> Expectation<'static> {
    Expectation { sdk_app_id: 1_400_000_000, identifier: "o6zAJs4_wxOpenId-0123456789abcd", now: NOW }
}

#[divan::bench]
fn issued(bencher: Bencher) {
    let key = key();
    bencher
        .counter(divan::counter::ItemsCount::new(1_u32))
        .bench(|| issue(&key, expected().sdk_app_id, expected().identifier, NOW, 604_800));
}

#[divan::bench]
fn verified(bencher: Bencher) {
    let sig = issue(&key(), expected().sdk_app_id, expected().identifier, NOW, 604_800);
    let keys = Keys::one(key());
    bencher
        .counter(divan::counter::ItemsCount::new(1_u32))
        .bench(|| verify(&keys, expected(), &sig).unwrap());
}

/// 13 800 characters that would inflate to 10 MB.
#[divan::bench]
fn bomb_refused(bencher: Bencher) {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../shared/testdata/usersig-vectors.json")).unwrap();
    let bomb =
        vectors["negative"].as_array().unwrap().iter().find(|vector| vector["id"] == "neg-074").unwrap();
    let sig = bomb["usersig"].as_str().unwrap();
    let keys = Keys::one(key());
    bencher
        .counter(divan::counter::ItemsCount::new(1_u32))
        .bench(|| verify(&keys, expected(), sig).unwrap_err());
}
