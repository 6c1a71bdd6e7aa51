// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace OverlayBd.Conversion.Tests.Ext4;

/// <summary>Asks e2fsck, which is not ours, whether a file system is sound.</summary>
internal static class E2fsck
{
    /// <summary>Fails the test unless <c>e2fsck -fn</c> finds nothing to say.</summary>
    internal static void AssertClean(string path)
    {
        (int code, string output) = Run("e2fsck", "-fn", path);
        Assert.True(code == 0, $"e2fsck -fn ended with {code}:\n{output}");
    }

    /// <summary>Runs a program to its end.</summary>
    internal static (int ExitCode, string Output) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }
}
