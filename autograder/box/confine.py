"""Confining a process for good: namespaces, private folders, limits, no rights, few system calls.

Runs in a freshly forked process of one thread, before it sees any of the student's code. What it
takes away cannot be had back. Linux only; no rights are needed.

Inside the box no further process can be started. So a limit of one process is the limit of the
box, whoever runs it: the kernel's limit on processes does not hold for root, this does.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20

# linux/sched.h
NEW_MOUNTS, NEW_HOST_NAME, NEW_IPC = 0x00020000, 0x04000000, 0x08000000
NEW_USER, NEW_PIDS, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
CLONE_THREAD = 0x00010000
# linux/mount.h
READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC, RECURSIVE, PRIVATE = 1, 2, 4, 8, 16384, 1 << 18
# linux/prctl.h and linux/capability.h
DROP_BOUNDING, NO_NEW_RIGHTS, LAST_CAPABILITY, CAPABILITY_VERSION = 24, 38, 63, 0x20080522

NOBODY = 65534
PRIVATE_FOLDER = Path("/private")  # all of a sandbox that can be written to; /tmp leads there

# What has no place in an exercise, and has been a way out of sandboxes or into neighbours.
FORBIDDEN = (
    *("mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "move_mount", "open_tree"),
    *("fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr", "quotactl", "swapon", "swapoff"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_open"),
    *("pidfd_getfd", "pidfd_send_signal", "kcmp", "keyctl", "add_key", "request_key"),
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter"),
    *("io_uring_register", "kexec_load", "kexec_file_load", "init_module", "finit_module"),
    *("delete_module", "open_by_handle_at", "name_to_handle_at", "syslog", "reboot", "acct"),
    *("personality", "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("fork", "vfork", "execve", "execveat", "memfd_create", "memfd_secret", "mknod", "mknodat"),
    *("shmget", "shmat", "semget", "msgget", "mq_open", "setrlimit", "sethostname"),
)

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class BoxLimits:
    """What one box may use. All of it together, since it is a single process.

    Args:
        memory: bytes of address space beyond what the libraries take.
        cpu_seconds: processor time of its whole life.
        file_bytes: the size of one file.
        folder_bytes: of all files in its private folder.
        open_files: how many.
        threads: how many.
    """

    memory: int = 2048 * MEGABYTE
    cpu_seconds: int = 600
    file_bytes: int = 16 * MEGABYTE
    folder_bytes: int = 64 * MEGABYTE
    open_files: int = 64
    threads: int = 64

    def as_json(self) -> dict[str, int]:
        """The limits as JSON can hold them."""
        return asdict(self)


def enter_namespaces() -> None:
    """Leave the host's users, mounts, network and messages; the next child also its processes.

    Raises:
        OSError: the kernel refuses; the text says which step.
    """
    user, group = os.getuid(), os.getgid()
    flags = NEW_USER | NEW_MOUNTS | NEW_PIDS | NEW_IPC | NEW_HOST_NAME | NEW_NETWORK
    _must(_libc.unshare(flags), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")


def hide_files(limits: BoxLimits) -> None:
    """Give the process an empty private folder, and nothing in place of /dev/shm and /proc.

    Raises:
        OSError: the kernel refuses.
    """
    _mount(None, "/", None, RECURSIVE | PRIVATE)
    private = NO_SETUID | NO_DEVICES | NO_EXEC
    size = f"size={limits.folder_bytes},mode=1777,nr_inodes=4096"
    _mount("tmpfs", str(PRIVATE_FOLDER), "tmpfs", private, size)
    for folder in ("/dev/shm", "/proc"):
        if Path(folder).is_dir():
            _mount("tmpfs", folder, "tmpfs", READ_ONLY | private, "size=4k,mode=555")
    os.chdir(PRIVATE_FOLDER)


def become_nobody() -> None:
    """Give up the rights of root, where the process has them and no namespace of its own."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def set_limits(limits: BoxLimits) -> None:
    """Limit memory, time and files of this process, for good."""
    present = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for kind, most in (
        (resource.RLIMIT_AS, present + limits.memory),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
    ):
        resource.setrlimit(kind, (most, most))


def limit_threads(limits: BoxLimits) -> None:
    """Limit the threads of this process, in its namespace of users, where no others are counted.

    The kernel does not hold root to this limit; `has_too_many_threads` holds everybody.
    """
    resource.setrlimit(resource.RLIMIT_NPROC, (limits.threads, limits.threads))


def has_too_many_threads(process: int, limits: BoxLimits, proc: int) -> bool:
    """True where a process runs more threads than it may.

    Args:
        process: its number.
        limits: what it may use.
        proc: descriptor of the folder /proc.
    """
    try:
        file = os.open(f"{process}/stat", os.O_RDONLY, dir_fd=proc)
    except OSError:
        return False  # it is gone
    about = os.read(file, 4096).decode(errors="replace")
    os.close(file)
    # Its name stands in brackets and may hold any letter; the threads are the 18th number after it.
    return int(about.rpartition(")")[2].split()[17]) > limits.threads


def be_first_to_go() -> None:
    """Let the kernel end this process before any other where memory runs out."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def drop_rights() -> None:
    """Give up every capability, and every way to get one.

    Raises:
        OSError: the kernel refuses.
    """
    for capability in range(LAST_CAPABILITY + 1):
        _libc.prctl(DROP_BOUNDING, capability, 0, 0, 0)  # fails for those this kernel has not
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    _must(_libc.capset(header, struct.pack("6I", *[0] * 6)), "capset")
    _must(_libc.prctl(NO_NEW_RIGHTS, 1, 0, 0, 0), "no_new_privs")


def system_call_filter() -> Any:
    """The filter that refuses what no exercise needs: processes, programs, sockets, mounts, traces.

    It takes a while to make, so it is made once; `load` puts a process under it for good.
    """
    import pyseccomp  # needs the library libseccomp

    refuse = pyseccomp.ERRNO(errno.EPERM)
    system_calls: Any = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in FORBIDDEN:
        try:
            system_calls.add_rule(refuse, name)
        except (ValueError, RuntimeError):
            continue  # this kind of processor has no such call
    # Threads may start, processes may not. What clone3 is asked for can't be seen from outside.
    thread = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_THREAD, 0)
    system_calls.add_rule(refuse, "clone", thread)
    system_calls.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    # prlimit64 reads limits with a null pointer, and sets them with any other.
    system_calls.add_rule(refuse, "prlimit64", pyseccomp.Arg(2, pyseccomp.NE, 0))
    return system_calls


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    encoded = [part.encode() if part is not None else None for part in (source, target, kind)]
    done = _libc.mount(*encoded, ctypes.c_ulong(flags), data.encode() or None)
    _must(done, f"mount {target}")


def _must(result: int, step: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{step}: {os.strerror(number)}")
