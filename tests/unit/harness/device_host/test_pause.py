# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Workers side by side, and now and then one of them alone; nobody waits for ever."""

import random
import threading
import time

from bringup.harness.device_host.pause import Pause


def test_who_is_alone_is_alone_and_everybody_gets_through() -> None:
    pause, lock = Pause(), threading.Lock()
    at_work, alone, most = 0, 0, 0
    broken: list[tuple[int, int]] = []

    def work(seed: int) -> None:
        nonlocal at_work, alone, most
        rng = random.Random(seed)
        for _ in range(60):
            if rng.random() < 0.2:
                with pause.alone():
                    with lock:
                        alone += 1
                        if at_work or alone > 1:
                            broken.append((at_work, alone))
                    time.sleep(rng.random() * 1e-3)
                    with lock:
                        alone -= 1
            else:
                pause.begin()
                with lock:
                    at_work += 1
                    most = max(most, at_work)
                    if alone:
                        broken.append((at_work, alone))
                time.sleep(rng.random() * 1e-3)
                with lock:
                    at_work -= 1
                pause.end()

    threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not broken and most > 1 and not pause.wanted


def test_nobody_begins_while_somebody_waits_to_be_alone() -> None:
    pause, order = Pause(), []
    pause.begin()

    def be_alone() -> None:
        with pause.alone():
            order.append("alone")

    def begin() -> None:
        pause.begin()
        order.append("beside")

    first = threading.Thread(target=be_alone, daemon=True)
    first.start()
    while not pause.wanted:
        time.sleep(0.001)
    second = threading.Thread(target=begin, daemon=True)
    second.start()
    time.sleep(0.1)
    assert order == []
    pause.end()
    first.join(10)
    second.join(10)
    assert order == ["alone", "beside"]
