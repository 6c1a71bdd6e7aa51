// SPDX-License-Identifier: Apache-2.0

using System.CommandLine.Parsing;

namespace OverlayBd.Cli.Containerd;

/// <summary>Reads labels as <c>KEY=VALUE</c>.</summary>
internal static class LabelArgument
{
    public static Dictionary<string, string>? Parse(ArgumentResult result)
    {
        Dictionary<string, string> labels = [];
        foreach (Token token in result.Tokens)
        {
            int equals = token.Value.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                result.AddError($"--label: '{token.Value}' is not KEY=VALUE.");
                return null;
            }

            labels[token.Value[..equals]] = token.Value[(equals + 1)..];
        }

        return labels;
    }
}
