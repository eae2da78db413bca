"""Polls are rare on a hidden or idle page, absent without a network, and never concurrent."""

from playwright.sync_api import expect

from tests.browser.conftest import refused


def test_the_pace_follows_the_reader(visit):
    ada = visit("Ada", clock=True, push=False)
    ada.say("hello")
    ada.sees("hello")
    ada.hold_time()
    ada.pass_time(6, 1)

    def polls_in(seconds, step_s):
        before = len(ada.polls)
        ada.pass_time(seconds, step_s)
        return len(ada.polls) - before

    assert 3 <= polls_in(4, 0.25) <= 5
    ada.page.clock.fast_forward(60_000)
    ada.pass_time(4, 1)
    assert 2 <= polls_in(12, 1) <= 5
    before = len(ada.polls)
    ada.box.press("a")
    ada.pass_time(0.1, 0.1)
    assert len(ada.polls) == before + 1
    ada.look_away()
    ada.pass_time(2, 1)
    assert 2 <= polls_in(60, 5) <= 5
    before = len(ada.polls)
    ada.come_back()
    ada.pass_time(0.1, 0.1)
    assert len(ada.polls) == before + 1
    ada.say("hello again")
    ada.pass_time(0.5, 0.1)
    assert polls_in(1.5, 0.05) >= 4


def test_a_slow_answer_is_waited_for_and_errors_make_the_polls_rarer(visit, channel):
    ada = visit("Ada", clock=True, push=False)
    ada.hold_time()
    refuse = refused("SlowDown", 503)
    first = []
    ada.at_data(channel, lambda route: refuse(route) if first else first.append(route))
    ada.until(lambda: first or ada.page.clock.run_for(250))
    before = len(ada.polls)
    ada.page.clock.run_for(8000)
    ada.page.wait_for_timeout(50)
    assert len(ada.polls) == before
    refuse(first[0])
    expect(ada.status).to_have_text("The chat is busy at the moment. Reconnecting…")
    before = len(ada.polls)
    ada.pass_time(120, 4)
    assert len(ada.polls) - before <= 15
    ada.page.unroute_all()
    ada.pass_time(32, 4)
    ada.connected()


def test_nothing_is_asked_for_while_offline(visit):
    ada = visit("Ada", clock=True, push=False)
    ada.hold_time()
    ada.page.context.set_offline(True)
    ada.pass_time(3, 1)
    expect(ada.status).to_have_text("Offline.")
    before = len(ada.polls)
    ada.pass_time(120, 10)
    assert len(ada.polls) == before
    with ada.page.expect_request("**/data/*.json"):
        ada.page.context.set_offline(False)
    ada.page.clock.resume()
    ada.connected()


def test_an_unchanged_transcript_costs_a_304(visit):
    ada = visit("Ada", push=False)
    ada.say("hello")
    ada.sees("hello")
    with ada.page.expect_response(lambda answer: "/data/" in answer.url and answer.status == 304):
        pass


def test_a_wrong_clock_is_corrected(visit):
    ada = visit(fresh=True)
    ada.page.clock.install(time="2020-01-01T08:00:00")
    ada.page.reload()
    ada.sign_in("Ada Lovelace").say("hello")
    ada.sees("hello")
