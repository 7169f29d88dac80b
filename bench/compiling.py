"""Seconds from nothing to the end of the first training step, with and without a compilation cache.

python bench/compiling.py
The first layer as Lasagne's own layers (oNetOne: 8 of conv and pool, pNetOne: 35) and as the filter
bank. Each run is a separate process, imports not counted; 'again' is a second process that finds
the first one's compilation cache.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CASES = [("oNetOne", "Lasagne layers"), ("pNetOne", "Lasagne layers"),
         ("oNetOne", "filterbank"), ("pNetOne", "filterbank"), ("oNetEightpNetEight", "filterbank")]


def first_step(network, form):
    """Build, compile and run a step, and print its seconds as JSON."""
    import networks
    import training_step

    from filterbank import TemporalFilterBankLayer
    bank = TemporalFilterBankLayer if form == "filterbank" else networks.plain_bank
    batch = networks.batch()
    start = time.perf_counter()
    step, _ = training_step.lasagne_step(bank, networks.BANKS[network])
    step(*batch)
    print(json.dumps(time.perf_counter() - start))


def measured(network, form, folder):
    """Measure seconds in a new process that caches compiled code in `folder`; nan if it fails."""
    flags = f"floatX=float32,base_compiledir={folder}"
    run = subprocess.run([sys.executable, __file__, network, form], capture_output=True, text=True,
                         env={**os.environ, "THEANO_FLAGS": flags})
    if run.returncode:
        reason = run.stderr.strip().splitlines()[-1][:150]
        print(f"{network}, {form}: {reason}", file=sys.stderr)
        return float("nan")
    return json.loads(run.stdout.splitlines()[-1])


def main():
    """Print a table."""
    import measure
    print(measure.machine())
    print("\n| network | first layer | first run, s | again, s | share |"
          "\n| --- | --- | --- | --- | --- |")
    for network, form in CASES:
        with tempfile.TemporaryDirectory() as folder:
            first, again = (measured(network, form, folder) for _ in range(2))
        print(f"| {network} | {form} | {first:.1f} | {again:.1f} | {again / first:.0%} |",
              flush=True)


if __name__ == "__main__":
    first_step(*sys.argv[1:]) if sys.argv[1:] else main()
