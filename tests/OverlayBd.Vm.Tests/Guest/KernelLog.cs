// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>What the guest's kernel said.</summary>
internal static class KernelLog
{
    /// <summary>The last lines, for a message that says what went wrong.</summary>
    public static string Tail(int lines = 20)
    {
        using Process process = Process.Start(new ProcessStartInfo("dmesg") { RedirectStandardOutput = true })!;
        string[] all = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return string.Join('\n', all.TakeLast(lines));
    }
}
