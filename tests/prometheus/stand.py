"""A gateway before two mock vendors, of which one fails now and then, and a Prometheus that scrapes it."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATIENCE = 60

GATEWAY = """
listeners: [{{ address: '127.0.0.1:0' }}]
admin: {{ address: '127.0.0.1:0' }}
server: {{ threads: 2, grace_period_seconds: 0 }}
access_log: {{ format: 'off' }}
state_dir: {directory}/state
metrics: {{ conventions: otel }}
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    authentication: none
    endpoints:
      production:
        - {{ name: East, url: 'http://{well}/v1' }}
        - {{ name: West, url: 'http://{sick}/v1' }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production:
            - {{ model: gpt-4o, weight: 60 }}
            - {{ model: gpt-4o-mini, weight: 30 }}
            - {{ model: gpt-4o, endpoint: West, weight: 10 }}
          suspend_duration: {suspend}
"""

PROMETHEUS = """
global: {{ scrape_interval: {interval}, evaluation_interval: {interval} }}
rule_files: ['{rules}']
scrape_configs:
  - job_name: evenkeel
    static_configs: [{{ targets: ['{target}'] }}]
"""


class Program:
    """A process whose lines are read as they come; ended with the block that it stands in."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self.lines, self.told = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.told:
                self.lines.append(line)
                self.told.notify_all()
        with self.told:
            self.lines.append(None)
            self.told.notify_all()

    def find(self, pattern):
        """The first group of the first line that has it."""

        def found():
            matches = (re.search(pattern, line) for line in self.lines if line)
            return next((match.group(1) for match in matches if match), None)

        with self.told:
            self.told.wait_for(lambda: found() or None in self.lines, PATIENCE)
            if not found():
                raise SystemExit(f"`{pattern}` was not told by {self.process.args[0]}:\n{''.join(filter(None, self.lines))}")
            return found()

    def listening_port(self):
        """The port of its one listening socket on loopback: Prometheus does not tell which it was given."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            sockets = set()
            for entry in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
                try:
                    sockets.add(os.readlink(entry))
                except FileNotFoundError:
                    pass
            for line in pathlib.Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                    return int(fields[1].split(":")[1], 16)
            time.sleep(0.05)
        raise SystemExit(f"{self.process.args[0]} listens nowhere:\n{''.join(filter(None, self.lines))}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Stand:
    """All of it, running. `interval` is Prometheus', `suspend` the policy's, both as their files have them; `fail` is the
    share of West's answers that are 429."""

    def __init__(self, stack, interval="1s", suspend="60s", fail=0.5):
        binary = os.environ["EVENKEEL_BIN"]
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        listening = r"http://(127\.0\.0\.1:\d+)"
        mock = (binary, "mock-vendor", "--listen", "127.0.0.1:0")
        well = stack.enter_context(Program(*mock, "--latency", "20ms", "--stream-chunks", "4"))
        sick = stack.enter_context(Program(*mock, "--fail", f"429:{fail}"))
        addresses = {"well": well.find(listening), "sick": sick.find(listening)}
        file = directory / "evenkeel.yaml"
        file.write_text(GATEWAY.format(directory=directory, suspend=suspend, **addresses))
        gateway = stack.enter_context(Program(binary, "run", "-c", str(file)))
        self.gateway = gateway.find("listening on " + listening)
        self.admin = gateway.find("admin on " + listening)
        config = directory / "prometheus.yml"
        rules = ROOT / "conf/prometheus/evenkeel.rules.yaml"
        config.write_text(PROMETHEUS.format(interval=interval, rules=rules, target=self.admin))
        self.prometheus = stack.enter_context(
            Program(
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={directory}/data",
                "--web.listen-address=127.0.0.1:0",
            )
        )
        self.api = f"http://127.0.0.1:{self.prometheus.listening_port()}/api/v1"

    def ask(self, stream=False, path="/smartchat/chat/completions"):
        """One request; returns the status."""
        body = {"model": "any", "messages": [{"role": "user", "content": "Hello"}]}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        request = urllib.request.Request(
            f"http://{self.gateway}{path}", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                answer.read()
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def metrics(self):
        """What the gateway says itself."""
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=PATIENCE) as answer:
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4"), answer.headers
            return answer.read()

    def prometheus_says(self, path, **parameters):
        """The data of an answer of Prometheus' own API; None while it is not ready to answer."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.api}/{path}?{query}", timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise SystemExit(f"{path} {parameters}: {error.code} {error.read().decode()}") from error

    def query(self, expression):
        """The samples of an expression now."""
        data = self.prometheus_says("query", query=expression)
        return data["result"] if data else []


def dashboard_queries(interval="1m"):
    """Each panel with its queries and their legends, for all instances, AI APIs and environments."""
    dashboard = json.loads((ROOT / "conf/grafana/evenkeel.json").read_text())
    for panel in dashboard["panels"]:
        queries = [(target["expr"], target["legendFormat"]) for target in panel.get("targets", [])]
        if queries:
            yield panel, [(filled(expression, interval), legend) for expression, legend in queries]


def filled(expression, interval):
    """A query with the dashboard's variables as Grafana fills them in."""
    expression = re.sub(r"\$(instance|api|environment)\b", ".*", expression)
    return expression.replace("$__rate_interval", interval)


def wait_until(what, condition):
    """Waits for `condition` to be true, and returns what it said."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        said = condition()
        if said:
            return said
        time.sleep(0.2)
    raise SystemExit(f"in {PATIENCE} s it was not true that {what}")
