//! End-to-end tests: each runs the program as its users do, against S3, the Data API and
//! PostgreSQL.

mod main_job;
mod memory;

mod adoption;

mod backlog;

mod columns;
mod exactness;
mod public_data;

mod habits;

mod evolution;

mod first_types;
mod formats;

mod plugins;

mod interruption;

mod lambda;

mod leftovers;

mod isolation;

mod secrets;

mod services;

mod sniffing;

mod commands;

mod database_session;

mod doctor;

mod plugin_bench;
mod plugin_commands;

mod plugin_chains;

mod pages;

mod permissions;

mod plugin_new;

mod project;

mod ranges;

mod released_contracts;

mod report_page;

mod harness;

mod other_clients;

mod other_languages;

mod super_values;

mod telemetry;
mod watch;

mod hooks;
