"""What cannot be shown from outside in namespaces, and the test that shows it."""

from __future__ import annotations

ELSEWHERE: tuple[tuple[str, str, str], ...] = (
    (
        "a start that failed and was repeated keeps an address that the Swarm gave to another container",
        "the manager has to be frozen between a request and its answer",
        "tests/engine/resources/test_addresses.py::"
        "test_a_start_that_missed_the_swarm_s_answer_is_repeated_with_an_allocated_address",
    ),
    (
        "with a worker frozen or drained, each statement waits for itself",
        "it takes more than four minutes on the code at PATH",
        "tests/engine/plays/test_preconditions.py::test_a_worker_that_is_frozen",
    ),
    (
        "with gossip blocked, the hint speaks of networks that containers share",
        "it takes two minutes until nodes forget each other",
        "tests/engine/checks/test_check_cases.py::test_case",
    ),
    (
        "an engine that dies in the middle of an answer loses the answers of all hosts",
        "the engine has to be killed inside an answer",
        "tests/engine/remote/test_engine_api.py::test_an_engine_that_is_killed_in_the_middle_of_an_answer",
    ),
    (
        "two first requests to an older engine at once: the second one fails",
        "two requests have to meet",
        "tests/engine/remote/test_engine_api.py::test_two_first_requests_to_an_older_engine_at_once",
    ),
    (
        "a connection that never finishes keeps a command from ending",
        "the connection has to be given up at a certain moment",
        "tests/engine/remote/test_connecting.py::test_closing_gives_up_what_is_still_connecting",
    ),
    (
        "an external program that hangs is waited for without end",
        "mmdebstrap and Vagrant have to hang",
        "tests/unit/test_programs.py::test_a_program_that_hangs_is_ended_with_its_children",
    ),
    (
        "a session with the target disk1-b counts as one with disk1",
        "iSCSI needs virtual machines here",
        "tests/unit/resources/test_iscsi.py::test_a_session_counts_only_for_the_target_of_exactly_that_name",
    ),
    (
        "two checks run at once although a probe names, deep inside, what the other one stops",
        "whether they overlap depends on the moment",
        "tests/unit/checks/test_scheduling.py::test_what_stands_deep_in_a_probe_is_found",
    ),
    (
        "a folder in /tmp that somebody else prepared is used for the LAN's sockets",
        "only virtual machines have such folders",
        "tests/unit/test_private_folder.py::test_a_folder_of_somebody_else_is_refused",
    ),
    (
        "deprovision removes packages that others use",
        "the machines have all packages from the beginning",
        "tests/engine/provision/test_deprovision.py::"
        "test_packages_go_when_that_is_allowed_and_one_that_others_use_stays",
    ),
    (
        "new settings of the engine restart it under the containers of others",
        "the code at PATH has no settings of the engine",
        "tests/unit/resources/test_engine_settings.py::"
        "test_an_engine_of_others_is_not_restarted_when_the_last_key_leaves_the_inventory",
    ),
)
"""What must not happen, why it is not shown here, and the test."""
