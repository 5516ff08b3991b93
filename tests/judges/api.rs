//! The API, asked whatever schemathesis makes of its OpenAPI document.

use crate::installed;
use crate::weir_run::Weir;
use crate::weir_run::free_port;
use std::process::Command;

#[test]
#[ignore = "by `tests/run judges`, which installs what it asks"]
fn the_api_does_what_its_document_says() {
    let (port, api) = (free_port(), free_port());
    let config = format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
         [api]\nlisten = \"127.0.0.1:{api}\"\ntoken = \"let-me-in\"\n\
         [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[stream]]\nname = \"out\"\ntype = \"file\"\npath = \"@/out.jsonl\"\n\
         channels = [\"*\"]\n"
    );
    let weir = Weir::start("schemathesis", &config);
    let mut command = Command::new(installed().join("python/bin/st"));
    command.current_dir(weir.folder.join(""));
    command.args(["run", &format!("http://127.0.0.1:{api}/openapi.json")]);
    command.args(["-H", "Authorization: Bearer let-me-in", "--seed", "1"]);
    // most names are of no stream, and what never ends is no answer
    command.args([
        "--checks",
        "all",
        "--exclude-checks",
        "positive_data_acceptance",
    ]);
    command.args([
        "--exclude-path",
        "/live",
        "--max-examples",
        "40",
        "--warnings",
        "off",
    ]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    println!(
        "{}",
        said.lines().rev().take(8).collect::<Vec<_>>().join("\n")
    );
}
