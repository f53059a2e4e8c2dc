"""`nightmill cluster`: a scheduler on one machine, workers on others, and any run sent to them."""

from __future__ import annotations

import click

from cluster import hosts

PORT = 8786


@click.group(
    "cluster",
    epilog="""\b
Examples:
  nightmill cluster scheduler --host 10.0.0.1         on one machine
  nightmill cluster worker tcp://10.0.0.1:8786        on each of the others
  nightmill reprocess raw/ -o out --cluster tcp://10.0.0.1:8786

Whoever reaches the scheduler's port can run code on every machine: give it an address of a closed network only, or
certificates. With NIGHTMILL_TLS set on all machines to a folder with ca.pem, cert.pem and key.pem (key.pem readable by
you only), links are encrypted, addresses begin with tls://, and who has no certificate of ca.pem is refused.
All machines need the same packages and the same module, and must reach inputs and output under the same names.
""",
)
def command() -> None:
    """Several machines as one cluster."""


@command.command(
    epilog="""\b
Examples:
  nightmill cluster scheduler --host 10.0.0.1
  NIGHTMILL_TLS=/etc/nightmill nightmill cluster scheduler --host 10.0.0.1    then tls://10.0.0.1:8786
"""
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=int, default=PORT, show_default=True, help="Port to listen at.")
def scheduler(host: str, port: int) -> int:
    """Run the scheduler, until Ctrl-C. Should it end, runs stop with exit code 4, and the same command resumes."""
    return hosts.serve(host, port)


@command.command(
    epilog="""\b
Examples:
  nightmill cluster worker tcp://10.0.0.1:8786
  nightmill cluster worker tcp://10.0.0.1:8786 --workers 4 --memory-mb 16000
  NIGHTMILL_TLS=/etc/nightmill nightmill cluster worker tls://10.0.0.1:8786

It reads and writes storage with this machine's own credentials (AWS_…, or the AWS tools' files): none travel.
"""
)
@click.argument("address", metavar="tcp://HOST:PORT")
@click.option("--workers", type=int, metavar="N", help="Worker processes [one a core].")
@click.option("--memory-mb", type=float, metavar="MB", help="Memory for all of them [this machine's].")
@click.option("--host", metavar="ADDRESS", help="This machine's address for the others [found].")
def worker(address: str, workers: int | None, memory_mb: float | None, host: str | None) -> int:
    """Run this machine's workers, until Ctrl-C. They come back when the scheduler or the network does."""
    return hosts.join(address, workers, memory_mb, host)
