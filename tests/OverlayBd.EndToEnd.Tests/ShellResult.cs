// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.EndToEnd.Tests;

internal sealed record ShellResult(int ExitCode, string Output, string Error);
