// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Vm.Tests.Guest;

/// <summary>Runs fio past the page cache.</summary>
internal static class Fio
{
    public static Task<string> RunAsync(string disk, params string[] options) =>
        Shell.RunAsync("fio", [.. Options(disk), .. options]);

    /// <summary>Starts a run that goes on beside the test; its end is the caller's to see.</summary>
    public static Process Start(string disk, params string[] options) =>
        Process.Start(new ProcessStartInfo("fio", [.. Options(disk), .. options]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static string[] Options(string disk) =>
        ["--name=vm", $"--filename={disk}", "--direct=1", "--ioengine=libaio", "--allow_file_create=0", "--verify_fatal=1", "--randrepeat=1"];
}
