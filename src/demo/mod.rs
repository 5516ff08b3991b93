//! The demo.

mod balance;
mod outage;
mod road;
mod scene;
mod speech;
mod vehicle;
mod view;
