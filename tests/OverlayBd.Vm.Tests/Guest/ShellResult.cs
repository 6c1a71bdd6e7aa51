// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>How a program ended and what it printed.</summary>
internal sealed record ShellResult(int ExitCode, string Output, string Error);
