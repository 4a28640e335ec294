"""A real Prometheus scrapes the real binary, and understands all of it.

Shows that `promtool check metrics` finds nothing to say, that Prometheus' numbers are the gateway's, that it evaluates
every alert rule, and that every query of the dashboard is answered.
"""

import contextlib
import subprocess
import sys

from stand import Stand, dashboard_queries, wait_until

REQUESTS = 40


def main():
    with contextlib.ExitStack() as stack:
        stand = Stand(stack)
        statuses = [stand.ask(stream=n % 4 == 0) for n in range(REQUESTS)]
        statuses += [stand.ask(path="/nowhere") for _ in range(3)]
        assert statuses == [200] * REQUESTS + [404] * 3, statuses

        checked = subprocess.run(["promtool", "check", "metrics"], input=stand.metrics(), capture_output=True)
        said = (checked.stdout + checked.stderr).decode()
        assert checked.returncode == 0 and not said, f"promtool check metrics: {checked.returncode}\n{said}"
        print("promtool check metrics: nothing to say")

        def requests(code):
            samples = stand.query(f'sum(evenkeel_requests_total{{code="{code}"}})')
            return float(samples[0]["value"][1]) if samples else 0

        wait_until("Prometheus has counted all requests", lambda: requests(200) == REQUESTS and requests(404) == 3)
        targets = stand.prometheus_says("targets")["activeTargets"]
        assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")], targets
        series = stand.query("scrape_samples_scraped")[0]["value"][1]
        print(f"scraped: {series} series, no error")

        def rules():
            groups = stand.prometheus_says("rules")["groups"]
            found = [rule for group in groups for rule in group["rules"]]
            return found if found and all(rule["health"] != "unknown" for rule in found) else None

        evaluated = wait_until("every rule has been evaluated", rules)
        wrong = [(rule["name"], rule.get("lastError")) for rule in evaluated if rule["health"] != "ok"]
        assert not wrong, wrong
        print(f"{len(evaluated)} alert rules evaluated, no error")

        # What need not have happened here, or not between two scrapes.
        allowed = {"Cached of prompt", "Suspensions", "Tries that failed", "Errors by status"}

        def without_data():
            # Rates need something that happens between two scrapes.
            stand.ask(stream=True)
            asked = ((panel["title"], [stand.query(query) for query, _ in queries]) for panel, queries in dashboard_queries())
            return {title for title, answers in asked if not any(answers)}

        wait_until("the dashboard has data", lambda: without_data() <= allowed)
        print(f"{sum(1 for _ in dashboard_queries())} panels of the dashboard asked, no error")


if __name__ == "__main__":
    sys.exit(main())
