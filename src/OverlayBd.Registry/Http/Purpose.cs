// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Http;

/// <summary>What a request is for, as messages say it: "Cannot read blob sha256:… of registry.example/app".</summary>
internal readonly record struct Purpose(string Verb, string Subject, string Repository)
{
    public override string ToString() => $"Cannot {Verb} {Subject} of {Repository}";
}
