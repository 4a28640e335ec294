"""The suites for which each process is started anew: memory and start."""

import contextlib
import http.client
import time

from bench import body
from bench.arms import Arm, Stand
from bench.generators import Pace, Sample, empty_log, wrk
from bench.process import PATIENCE, resident_bytes
from bench.suites import CONNECTIONS, Run, paced_mock, paced_streams

SMALL_REQUESTS = 1_000_000
STEP = 100_000
STARTS = 20
# Between two looks at whether a process answers already.
LOOK = 0.0005


def memory(run: Run) -> None:
    """Idle, after every so many small requests, and with streams open."""
    for name in run.names("memory"):
        with run.stand(*paced_mock(run)) as stand:
            arm = stand.start(name)
            time.sleep(0.1 if run.settings.smoke else 1)
            run.note("memory", "idle", name, 0, {**sizes(arm), "requests": 0})
            small_requests(run, stand, arm)
            open_streams(run, stand, arm)


def small_requests(run: Run, stand: Stand, arm: Arm) -> None:
    file = body.write(run.directory, body.SIZES["300 B"])
    arm.check(file.read_bytes())
    goal, step = (1000, 500) if run.settings.smoke else (SMALL_REQUESTS, STEP)
    count, seconds = 0, 0.2
    while count < goal:
        begun = count
        while count < begun + step:
            found = wrk(arm, file, CONNECTIONS["300 B"], seconds, stand.pinning.generator)
            empty_log(arm)
            count += found["requests"]
            if found["errors"] or not found["requests"]:
                raise SystemExit(f"{arm.name} has failed in {found['errors']} of {found['requests']} requests")
            rate = found["requests"] * 1e6 / found["microseconds"]
            seconds = max(0.1, (begun + step - count) / rate) if count < begun + step else step / rate
        found = {**sizes(arm), "mock_rss": resident_bytes(stand.mock.pids), "requests": count}
        run.note("memory", "after small requests", arm.name, 0, found)


def open_streams(run: Run, stand: Stand, arm: Arm) -> None:
    file = body.write(run.directory, body.SIZES["300 B"], streamed=True)
    with Pace(run.binaries, arm, file, stand.pinning.generator, *paced_streams(run), streamed=True) as pace:
        pace.wait_for("measuring")
        looks, until = [sizes(arm)], time.monotonic() + run.settings.seconds
        while time.monotonic() < until:
            looks.append(sizes(arm))
            time.sleep(0.05)
        pace.wait_for("measured")
        found = pace.found()
    counted = {"requests": found["streams"], "errors": found["errors"]}
    run.note("memory", "with streams open", arm.name, 0, {**max(looks, key=lambda it: it["rss"]), **counted})


def sizes(arm: Arm) -> Sample:
    return {"rss": resident_bytes(arm.pids), "anonymous": resident_bytes(arm.pids, "RssAnon")}


def start(run: Run) -> None:
    """From starting a process to its first good answer."""
    with run.stand() as stand:
        chat = body.chat(body.SIZES["300 B"])
        for number in range(2 if run.settings.smoke else STARTS):
            for name in run.names("start"):
                with contextlib.ExitStack() as stack:
                    seconds = time_to_answer(stand, stack, name, chat)
                run.note("start", "first answer", name, number, {"seconds": seconds, "errors": 0})


def time_to_answer(stand: Stand, stack: contextlib.ExitStack, name: str, chat: bytes) -> float:
    arm, begun = stand.start_unawaited(name, stack)
    headers = {"content-type": "application/json", "authorization": f"Bearer {arm.key}"}
    while time.monotonic() < begun + PATIENCE:
        connection = http.client.HTTPConnection("127.0.0.1", arm.port, timeout=PATIENCE)
        try:
            connection.request("POST", arm.path, chat, headers)
            status = connection.getresponse().status
            if status == 200:
                return time.monotonic() - begun
            raise SystemExit(f"the first answer of {name} is {status}")
        except OSError:
            time.sleep(LOOK)
        finally:
            connection.close()
    raise SystemExit(f"{name} has not answered in {PATIENCE:.0f} s")
