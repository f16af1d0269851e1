"""The box: where submitted code runs, and the channel over which it is asked for answers.

The modules here stand on two sides. `fork_server`, `confine` and `inside` run in the sandbox, with
the student's code; nothing there knows a right answer. `server`, `session` and `remote` run in the
grader, which asks for answers and judges them itself. `channel` is what both sides speak.
"""
