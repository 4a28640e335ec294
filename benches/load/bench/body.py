"""Bodies of requests: chats of a given length, as the official SDK writes them (`messages` before `model`)."""

import json
import pathlib
import random

ASKED_MODEL = "any-model"
SIZES = {"300 B": 300, "1 KiB": 1024, "10 KB": 10_000, "100 KB": 100_000, "1 MiB": 2**20, "5 MiB": 5 * 2**20}
WORDS = (
    "the a of and to in is that for it as with on be at by this from or an have not are but they which you one we all "
    "there can more if will about up out so time what model weight answer request vendor stream token café naïve"
).split()
# Members that stand at the end of a request, as clients send them.
SETTINGS = {"temperature": 0.7, "max_tokens": 256}
# A message of a long chat.
MESSAGE = 2000


def text(chance: random.Random, length: int) -> str:
    """Words in sentences, with a quoted one and a new line now and then, which JSON escapes."""
    said: list[str] = []
    count = 0
    while count < length:
        word = chance.choice(WORDS)
        draw = chance.random()
        word = f'"{word}"' if draw < 0.01 else f"{word}.\n" if draw < 0.08 else f"{word} "
        said.append(word)
        count += len(word)
    return "".join(said)[:length]


def chat(size: int, streamed: bool = False) -> bytes:
    """Exactly `size` bytes of JSON."""
    chance = random.Random(size)
    messages = [{"role": "system", "content": "You are a helpful assistant."}]
    asked: dict[str, object] = {"messages": messages, "model": ASKED_MODEL}
    if streamed:
        asked |= {"stream": True}
    asked |= SETTINGS

    def encoded() -> bytes:
        return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()

    left = size - len(encoded())
    while left > 0:
        role = "assistant" if len(messages) % 2 == 0 else "user"
        messages.append({"role": role, "content": ""})
        frame = len(json.dumps(messages[-1], separators=(",", ":"))) + 1
        room = left - frame
        if room < 0:
            raise ValueError(f"a chat cannot have exactly {size} bytes")
        # Never a rest that no further message fits into; escapes make it longer than its letters.
        content = text(chance, room if room <= MESSAGE else min(MESSAGE, room - 200))
        while len(json.dumps(content, ensure_ascii=False).encode()) - 2 > room:
            content = content[:-1]
        if room <= MESSAGE:
            content += "." * (room - (len(json.dumps(content, ensure_ascii=False).encode()) - 2))
        messages[-1]["content"] = content
        left -= frame + len(json.dumps(content, ensure_ascii=False).encode()) - 2
    body = encoded()
    if len(body) != size:
        raise ValueError(f"a chat of {size} bytes has become one of {len(body)}")
    return body


def write(directory: pathlib.Path, size: int, streamed: bool = False) -> pathlib.Path:
    file = directory / f"body-{size}{'-streamed' if streamed else ''}.json"
    if not file.exists():
        file.write_bytes(chat(size, streamed))
    return file
