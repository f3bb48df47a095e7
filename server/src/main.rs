//! The program.

mod api;
mod assets;
mod health;
mod http;
mod pages;
mod sign_in;

use std::error::Error;
use store::{Options, Store};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Store::open(Options::new("sqlite:data/daybook.db".parse()?)).await?;
    let config = http::ServeConfig {
        listen: "127.0.0.1:3000".parse()?,
        public_url: None,
        trusted_proxies: Vec::new(),
        metrics_token: None,
    };
    http::serve(store, config, tokio::signal::ctrl_c()).await?;
    Ok(())
}
