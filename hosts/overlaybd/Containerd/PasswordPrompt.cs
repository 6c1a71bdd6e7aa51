// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Cli.CommandLine;

namespace OverlayBd.Cli.Containerd;

/// <summary>Asks for a password: unseen on a terminal, as a line of standard input elsewhere.</summary>
internal static class PasswordPrompt
{
    /// <exception cref="UsageException">There is none.</exception>
    public static string Ask(string user)
    {
        if (Console.IsInputRedirected)
        {
            return Console.In.ReadLine() is { Length: > 0 } line
                ? line
                : throw new UsageException($"--user {user}: the password is missing, after a colon or on standard input.");
        }

        Console.Error.Write($"Password of {user}: ");
        StringBuilder password = new();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                password.Length = Math.Max(0, password.Length - 1);
            }
            else
            {
                password.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return password.ToString();
    }
}
