//! The command `weir`.

// see Cargo.toml
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> std::process::ExitCode {
    weir::cli::main(std::env::args_os().skip(1))
}
