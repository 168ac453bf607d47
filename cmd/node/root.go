package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/quorate/quorate/app"
)

// root is the tree of commands.
func (c *cli) root() *cobra.Command {
	root := c.group("quorate", "One cosigner's node of a shared Bitcoin wallet, without a server",
		c.demoCommand(), c.setupCommand(), c.initCommand(), c.group("seed", "Look at the words of this node's seed", c.seedShowCommand()), c.startCommand(), c.statusCommand(),
		c.group("wallet", "Make and look at wallets",
			c.walletCreateCommand(), c.walletInviteCommand(), c.walletApproveReplacementCommand(), c.walletJoinCommand(), c.walletListCommand(),
			c.walletShowCommand(), c.walletExportCommand(), c.walletRatifyCommand(), c.walletAbandonCommand(),
			c.walletProofCommand(), c.walletProveCommand(), c.walletHostCommand(), c.walletArchiveCommand(), c.walletRekeyCommand(), c.walletRescanCommand(), c.walletRenameCommand()),
		c.addressCommand(), c.addressesCommand(), c.coinsCommand(), c.group("coin", "Say what is to become of a coin", c.coinFreezeCommand()), c.historyCommand(), c.logCommand(), c.presenceCommand(), c.pingCommand(), c.labelCommand(),
		c.tokenCommand(),
		c.group("labels", "Look at labels, and exchange them with other wallets", c.labelsListCommand(), c.labelsExportCommand(), c.labelsImportCommand()),
		c.proposeCommand(), c.bumpCommand(), c.cancelCommand(), c.cpfpCommand(), c.consolidateCommand(), c.pendingCommand(), c.proposalsCommand(),
		c.group("recurring", "Look at payments that this node proposes by itself", c.recurringListCommand(), c.recurringEndCommand(), c.recurringStartCommand()),
		c.group("policy", "Write, compare and vote on what robots sign by themselves", c.policyProposeCommand(), c.policyVoteCommand(false), c.policyVoteCommand(true), c.policyListCommand(), c.policyCheckCommand(), c.policyShowCommand(), c.policyDiffCommand(), c.policyNewCommand(), c.policyExplainCommand(), c.policySimulateCommand(), c.policyReplayCommand()),
		c.group("proposal", "Look at a proposal", c.proposalShowCommand()),
		c.group("robot", "Look at this node as a robot, stop it, have it go on", c.robotStatusCommand(), c.robotPauseCommand(), c.robotResumeCommand()),
		c.approveCommand(), c.rejectCommand(), c.commentCommand(), c.withdrawCommand(), c.freezeCommand(), c.unfreezeCommand(), c.waitCommand(), c.txCommand(),
		c.peersCommand(), c.passphraseCommand(), c.signerCommand(), c.relayCommand(),
		c.group("psbt", "Sign elsewhere: on a device, in another wallet", c.psbtExportCommand(), c.psbtImportCommand()),
		c.backupCommand(), c.restoreCommand(), c.doctorCommand(),
		c.versionCommand(), c.completionCommand(),
	)
	root.Version = app.Version()
	root.SetVersionTemplate("quorate {{.Version}}\n")
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	defer c.finish(root)
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if !c.json {
			help(cmd, args)
			return
		}
		// An error of standard output: there is nowhere to tell of it.
		_ = c.encode(helpText{cmd.CommandPath(), cmd.Long + "\n\n" + cmd.UsageString()})
	})
	flags := root.PersistentFlags()
	flags.StringVar(&c.dataDir, "data-dir", "", "directory of the node (or QUORATE_DATA_DIR; XDG default)")
	flags.BoolVar(&c.wide, "wide", false, "show tables whole, also where a terminal is narrower")
	flags.BoolVar(&c.json, "json", false, "print exactly one JSON value on standard output")
	return root
}

// helpText is what --help --json answers with.
type helpText struct {
	Command string `json:"command"`
	Help    string `json:"help"`
}

// group is a command that only holds others: by itself it is a usage error,
// but for the root, which then shows its help.
func (c *cli) group(use, short string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			if cmd.HasParent() {
				return fmt.Errorf("a command is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	g.AddCommand(commands...)
	return g
}
