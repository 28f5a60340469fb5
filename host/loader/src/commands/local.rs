//! `loader local`: the stand-in as a server of its own, for any AWS client.

use loader_local::{LocalOptions, Server};

use crate::cli::LocalArgs;
use crate::commands::{conclude, print};
use loader_aws::stop::Stop;
use loader_model::error::{Context, Kind, Result};

/// Serves until a signal comes or, when started for others, until the last of them is gone.
pub async fn run(args: LocalArgs, stop: Stop) -> u8 {
    conclude(serve(args, stop).await)
}

async fn serve(args: LocalArgs, stop: Stop) -> Result<()> {
    let dir = args.dir.display().to_string();
    let options = LocalOptions {
        dir: args.dir,
        postgres_bin: args.postgres_bin,
        s3_port: args.s3_port,
        data_api_port: args.data_api_port,
    };
    let server = Server::start(options)
        .await
        .context(Kind::Config, format!("the stand-in in {dir} does not start"))?;
    if args.while_used {
        return loader_local::serve_while_used(server)
            .await
            .context(Kind::Internal, "the stand-in does not stop");
    }
    print(&instructions(&server));
    stop.wanted().await;
    server.stop().await.context(Kind::Internal, "the stand-in does not stop")
}

/// Lines that a shell understands, and comments that people do.
fn instructions(server: &Server) -> String {
    let variables = server.endpoints().variables();
    let lines: Vec<String> =
        variables.iter().map(|(name, value)| format!("export {name}={value}")).collect();
    format!(
        "# S3 and the Redshift Data API are served. For any AWS client, in another shell:\n{}\n\
         # The Data API takes any --workgroup-name and the --database dev. Stop with Ctrl-C.\n",
        lines.join("\n")
    )
}
