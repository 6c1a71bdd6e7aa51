// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Diagnosis;

namespace OverlayBd.Cli.Commands;

/// <summary><c>overlaybd doctor</c>: what this machine can do, and what to install.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Command command = new("doctor", "Tells what this machine can do, and what to install for the rest.");
        command.SetAction(parsed =>
        {
            IReadOnlyList<Finding> findings = Examination.Run(parsed.GetRunDirectory());
            foreach (Finding finding in findings)
            {
                Console.WriteLine($"{Mark(finding.State),-8} {finding.Subject,-24} {finding.Detail}");
            }

            return findings.Any(finding => finding.State == FindingState.Missing) ? 1 : 0;
        });
        return command;
    }

    private static string Mark(FindingState state) => state switch
    {
        FindingState.Good => "ok",
        FindingState.Optional => "optional",
        _ => "missing",
    };
}
