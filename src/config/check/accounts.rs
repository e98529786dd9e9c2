use crate::{
    config::{
        context::{Context, Names},
        place::Placed,
        problem::Problem,
        sections::Account,
    },
    mint::{AccountConfig, check_key},
    model::{Origin, Reference, Secret},
};

/// Keys that can be looked at here and cannot sign, and accounts that nothing uses.
pub(super) fn check(accounts: &[Placed<Account>], cx: &mut Context<'_>) {
    let mut problems = Vec::new();
    for Placed { place, value: Account { config, keys } } in accounts {
        problems.extend(keys.iter().filter_map(|key| bad_key(config, key, cx)));
        if !cx.mentions_name(Names::Account, &config.name) {
            problems.push(place.warning("no grant is for this account", "add a grant, or remove the account"));
        }
    }
    cx.problems.extend(problems);
}

fn bad_key(account: &AccountConfig, key: &Placed<Origin>, cx: &Context<'_>) -> Option<Problem> {
    let Origin::Local(reference) = &key.value else { return None };
    let stored = match reference {
        // Not set here: that has been said.
        Reference::Env(name) => Secret::new(cx.env.var(name).ok().flatten()?),
        Reference::File(path) => {
            let content = cx.files.read(path).ok()?;
            let Ok(text) = std::str::from_utf8(&content) else {
                return Some(key.place.error("this file is no text", AS_TEXT));
            };
            Secret::new(text.trim_end_matches(['\r', '\n']))
        }
    };
    let problem = check_key(account, &stored).err()?;
    let (what, hint) = problem.split_once(": ").unwrap_or((&problem, AS_TEXT));
    Some(key.place.error(format!("what is there is no key of this account: {what}"), hint.to_owned()))
}

const AS_TEXT: &str = "store the account's key, or its whole connection string, as the Azure portal shows them";
