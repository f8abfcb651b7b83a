"""Ask a Nexome server from Python, with pyarrow and the standard library.

    python query.py http://127.0.0.1:8321 rs4988235

The API answers an Arrow stream, which becomes a pandas or polars data frame as it stands. A token,
where one is needed, goes into a header, never into the address. On the machine that holds the data,
`nexome.open("root").phewas("rs4988235")` gives the same table without a server.
"""

import os
import sys
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pyarrow as pa


def ask(server: str, path: str, **query: object) -> pa.Table:
    """The answer of one route as an Arrow table."""
    address = f"{server.rstrip('/')}/api/v1/{path}?{urlencode({'format': 'arrow', **query})}"
    token = os.environ.get("NEXOME_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(address, headers=headers)) as answer:
        return pa.ipc.open_stream(answer.read()).read_all()


def main() -> None:
    """One variant across all traits, then the region around it in the strongest study."""
    server, variant = sys.argv[1:3]
    phewas = ask(server, f"phewas/{quote(variant)}", page_size=100_000)
    phewas = phewas.sort_by([("neg_log_10_p_value", "descending")])
    for row in phewas.slice(0, 5).to_pylist():
        print(f"{row['trait']:<40} {row['beta']:9.4f} {row['standard_error']:9.4f} {row['p_value']:.3g}")

    first = phewas.slice(0, 1).to_pylist()[0]
    middle = first["base_pair_location"]
    region = f"{first['chromosome']}:{max(1, middle - 500_000)}-{middle + 500_000}"
    path = f"studies/{first['study_id']}/associations"
    around = ask(server, path, region=region, page_size=100_000)
    print(f"{around.num_rows} associations of {first['study_id']} in {region}")


if __name__ == "__main__":
    main()
