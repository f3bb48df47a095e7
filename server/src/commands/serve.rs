//! `daybook serve`.

use super::{CommandError, Installation, say};
use crate::{
    environment,
    http::{self, ServeConfig},
};
use clap::Args;
use ipnet::IpNet;
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

/// How long what was accepted may take to finish once the server is told to stop.
const FAREWELL: Duration = Duration::from_secs(9);
